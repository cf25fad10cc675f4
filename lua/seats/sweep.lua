-- Ends due holds of one performance when nobody's request does it on the way; keeps the seat map fresh.
--
-- KEYS  cell performance index due
-- ARGV  epoch limit
-- REPLY swept: count sequence | unknown_performance | closed | fenced: epoch
-- INCLUDES clock gate draft sweep sequence
-- FLAGS allow-oom
local cell, key, index, due = unpack(KEYS)
local epoch, limit = ARGV[1], tonumber(ARGV[2])

local refusal = gate(cell, epoch)
if refusal then return refusal end
local now, microseconds = clock()
local performance = draft(key, index, due)
if not performance then return {"unknown_performance"} end

return {"swept", sweep(performance, now, microseconds, limit), sequence(cell)}
