-- Closes the cell's gate: nothing is sold until it is opened again. Raises the stored epoch to the one given.
--
-- KEYS  cell
-- ARGV  epoch
-- REPLY closed: epoch
-- INCLUDES gate closing
-- FLAGS allow-oom
local cell, epoch = KEYS[1], ARGV[1]

open_epochs[cell] = nil
local stored = redis.call("HGET", cell, "epoch") or "0"
if tonumber(epoch) > tonumber(stored) then
  redis.call("HSET", cell, "epoch", epoch)
  stored = epoch
end
closed_at[cell] = stored
return {"closed", stored}
