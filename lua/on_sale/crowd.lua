-- Keeps how many may be inside for the seats that are open, as the keeper has counted them: with more inside, the line is
-- called more slowly (`include/pace`). A count is good for `lasts_ms`; the line's clock is turned first, so that it never
-- reaches into the past.
--
-- KEYS  cell sale live
-- ARGV  epoch crowd lasts_ms
-- REPLY kept: crowd | unknown_on_sale | closed | fenced: epoch
-- INCLUDES clock gate turn
-- FLAGS allow-oom
local cell, sale, live = unpack(KEYS)
local epoch, crowd, lasts_ms = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])

local refusal = gate(cell, epoch)
if refusal then return refusal end
local now = clock()
local line = turn(sale, live, now)
if not line then return {"unknown_on_sale"} end

redis.call("HSET", sale, "crowd", crowd, "crowd_until_ms", now + lasts_ms)
return {"kept", crowd}
