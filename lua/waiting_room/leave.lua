-- Gives a live pass back before its end, so that the next visitor is called sooner.
--
-- KEYS  cell live
-- ARGV  epoch index
-- REPLY left: sequence | closed | fenced: epoch
-- INCLUDES gate sequence
-- FLAGS allow-oom
local cell, live = KEYS[1], KEYS[2]
local epoch, index = ARGV[1], ARGV[2]

local refusal = gate(cell, epoch)
if refusal then return refusal end

redis.call("ZREM", live, index)
return {"left", sequence(cell)}
