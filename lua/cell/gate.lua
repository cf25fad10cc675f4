-- Where the cell stands: the epoch at which it is open (empty when closed), the stored epoch, the sequence,
-- the version of its catalogue, how many entries wait to be recorded, how strained the cell is (see `cell/press`),
-- up to which entry all are recorded, the newest that waits (0-0 when none does), and when the gate was opened after the
-- last loss (0: never).
--
-- KEYS  cell outbox recorded
-- ARGV
-- REPLY gate: open_epoch stored_epoch sequence catalogue backlog level slowed_percent why recorded newest
--       lost_at_ms
-- INCLUDES gate
-- FLAGS no-writes
local cell = KEYS[1]

local newest = redis.call("XREVRANGE", KEYS[2], "+", "-", "COUNT", 1)[1]
local stored = redis.call("HMGET", cell, "epoch", "sequence", "catalogue", "level", "slowed_percent", "why",
  "lost_at_ms")
return {"gate", opened(cell) or "", stored[1] or "0", stored[2] or "0", stored[3] or "0",
  redis.call("XLEN", KEYS[2]), tonumber(stored[4]) or 0, tonumber(stored[5]) or 0,
  stored[6] or "", redis.call("GET", KEYS[3]) or "0-0", newest and newest[1] or "0-0",
  tonumber(stored[7]) or 0}
