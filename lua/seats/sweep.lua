-- Ends due holds of one performance when nobody's request does it on the way; keeps the seat map fresh.
-- Tells whether anything is left to sell: an open seat or place, or a hold that may still come back.
--
-- KEYS  cell performance index due
-- ARGV  epoch limit
-- REPLY swept: count is_sold_out sequence | unknown_performance | closed | fenced: epoch
-- INCLUDES clock gate draft sweep is_sold_out sequence
-- FLAGS allow-oom
local cell, key, index, due = unpack(KEYS)
local epoch, limit = ARGV[1], tonumber(ARGV[2])

local refusal = gate(cell, epoch)
if refusal then return refusal end
local now, microseconds = clock()
local performance = draft(key, index, due)
if not performance then return {"unknown_performance"} end

local count = sweep(performance, now, microseconds, limit)
return {"swept", count, is_sold_out(performance) and 1 or 0, sequence(cell)}
