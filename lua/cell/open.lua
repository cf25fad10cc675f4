-- Opens the cell's gate at an epoch: recovery's last step. The epoch is stored first, so that it never falls.
--
-- KEYS  cell
-- ARGV  epoch
-- REPLY open: epoch | fenced: stored_epoch
-- INCLUDES gate
-- FLAGS allow-oom
local cell, epoch = KEYS[1], ARGV[1]

local stored = redis.call("HGET", cell, "epoch") or "0"
if tonumber(stored) > tonumber(epoch) then return {"fenced", stored} end

redis.call("HSET", cell, "epoch", epoch, OPENED_AT, epoch)
open_epochs[cell], seen_sequences[cell] = epoch, nil
return {"open", epoch}
