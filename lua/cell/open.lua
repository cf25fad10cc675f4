-- Opens the gate of a cell that was closed here, at that epoch: recovery's last step. The epoch never falls.
-- After a loss nothing new is held for a while: what had been confirmed and was lost is sold again first.
--
-- KEYS  cell
-- ARGV  epoch quiet_ms
-- REPLY open: epoch | fenced: stored_epoch
-- INCLUDES clock gate closing
-- FLAGS allow-oom
local cell = KEYS[1]
local epoch, quiet_ms = ARGV[1], tonumber(ARGV[2])

local stored = redis.call("HGET", cell, "epoch") or "0"
if tonumber(stored) > tonumber(epoch) or closed_at[cell] ~= epoch then return {"fenced", stored} end

local now = clock()
redis.call("HSET", cell, "epoch", epoch, OPENED_AT, epoch)
if quiet_ms > 0 then redis.call("HSET", cell, "lost_at_ms", now) end
open_epochs[cell], seen_sequences[cell], quiet_until_ms[cell] = epoch, nil, now + quiet_ms
return {"open", epoch}
