-- Puts an on-sale up, scheduled: its times, pace, cap, and the draw's seed with the commitment to it.
-- Restoring after a loss gives the fields as they were, in place of what is there from the past.
--
-- KEYS  cell sale
-- ARGV  epoch fields is_anew
-- REPLY created: sequence | exists | fenced: stored_epoch
-- INCLUDES fence sequence
-- FLAGS allow-oom
local cell, sale = KEYS[1], KEYS[2]
local epoch, fields, is_anew = ARGV[1], cmsgpack.unpack(ARGV[2]), ARGV[3] == "1"

local refusal = fence(cell, epoch)
if refusal then return refusal end
if redis.call("EXISTS", sale) == 1 and not is_anew then return {"exists"} end

redis.call("HSET", sale, unpack(fields))
return {"created", sequence(cell)}
