-- Lets a line go on behind everyone whom the ledger knows, after a loss.
--
-- KEYS  cell sale
-- ARGV  epoch joined
-- REPLY restored: joined | unknown_on_sale | fenced: stored_epoch
-- INCLUDES fence
-- FLAGS allow-oom
local cell, sale = KEYS[1], KEYS[2]
local epoch, joined = ARGV[1], tonumber(ARGV[2])

local refusal = fence(cell, epoch)
if refusal then return refusal end
local known = tonumber(redis.call("HGET", sale, "joined"))
if not known then return {"unknown_on_sale"} end

if joined > known then
  redis.call("HSET", sale, "joined", joined)
  known = joined
end
return {"restored", known}
