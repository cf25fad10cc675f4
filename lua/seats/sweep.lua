-- Ends due holds of one performance when nobody's request does it on the way; keeps the seat map fresh.
-- Tells whether anything is left to sell: an open seat or place, or a hold that may still come back.
--
-- KEYS  cell outbox performance index due
-- ARGV  epoch limit
-- REPLY swept: count is_sold_out sequence | unknown_performance | closed | fenced: epoch
-- INCLUDES gate step draft sweep is_sold_out
-- FLAGS allow-oom
local cell, outbox, key, index, due = unpack(KEYS)
local epoch, limit = ARGV[1], tonumber(ARGV[2])

local refusal = gate(cell, epoch)
if refusal then return refusal end
local step = step_of(cell, outbox, epoch)
local performance = draft(key, index, due, step)
if not performance then return {"unknown_performance"} end

local count = sweep(performance, limit)
return {"swept", count, is_sold_out(performance) and 1 or 0, numbered(step)}
