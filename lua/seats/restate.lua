-- Tells the outbox the whole of a performance, from which on its history is replayed: after a recovery, or where the
-- ledger lost some of it, nobody knows all that led here.
--
-- KEYS  cell outbox performance
-- ARGV  epoch
-- REPLY restated: sequence | unknown_performance | fenced: stored_epoch
-- INCLUDES fence step history state
-- FLAGS allow-oom
local cell, outbox, key = unpack(KEYS)
local epoch = ARGV[1]

local refusal = fence(cell, epoch)
if refusal then return refusal end
local changes, moved = state_of(key)
if not changes then return {"unknown_performance"} end

local step = step_of(cell, outbox, epoch)
local reply = {"restated", numbered(step)}
tell({key = key, step = step, changes = changes, moved = moved}, "restore", "house", "")
return reply
