-- Where the cell stands: the epoch at which it is open (empty when closed), the stored epoch, the sequence,
-- the version of its catalogue, and how many entries wait to be recorded.
--
-- KEYS  cell outbox
-- ARGV
-- REPLY gate: open_epoch stored_epoch sequence catalogue backlog
-- INCLUDES gate
-- FLAGS no-writes
local cell = KEYS[1]

local stored = redis.call("HMGET", cell, "epoch", "sequence", "catalogue")
return {"gate", opened(cell) or "", stored[1] or "0", stored[2] or "0", stored[3] or "0",
  redis.call("XLEN", KEYS[2])}
