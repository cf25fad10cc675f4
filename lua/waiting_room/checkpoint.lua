-- Keeps the frontier of the tree over a line's entrants, as far as the ledger has recorded them: a draw then needs only
-- what the outbox still has. It never goes back.
--
-- KEYS  cell kept
-- ARGV  epoch frontier
-- WHERE frontier: how many leaves, a blank, and the roots of its perfect parts one behind the other
-- REPLY kept: leaves | fenced: stored_epoch
-- INCLUDES fence leaves
-- FLAGS allow-oom
local cell, kept = unpack(KEYS)
local epoch, frontier = unpack(ARGV)

local refusal = fence(cell, epoch)
if refusal then return refusal end
local leaves, known = leaves_of(frontier), leaves_of(redis.call("GET", kept))

if leaves > known then
  redis.call("SET", kept, frontier)
  known = leaves
end
return {"kept", known}
