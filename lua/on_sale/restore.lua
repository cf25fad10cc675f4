-- Lets a line go on behind everyone whom the ledger knows, after a loss.
--
-- KEYS  cell sale
-- ARGV  epoch line_name joined
-- REPLY restored: joined | unknown_on_sale | fenced: stored_epoch
-- INCLUDES fence of_line
-- FLAGS allow-oom
local cell, sale = KEYS[1], KEYS[2]
local epoch, field, joined = ARGV[1], of_line("joined", ARGV[2]), tonumber(ARGV[3])

local refusal = fence(cell, epoch)
if refusal then return refusal end
local known = tonumber(redis.call("HGET", sale, field))
if not known then return {"unknown_on_sale"} end

if joined > known then
  redis.call("HSET", sale, field, joined)
  known = joined
end
return {"restored", known}
