-- A performance at one moment, as `include/state` tells it, and the last entry of the outbox until then: what became of
-- it comes up to there, and what will become of it comes after.
--
-- KEYS  performance outbox recorded
-- ARGV
-- REPLY state: entry packed | unknown_performance
-- WHERE packed: [changes [block, offset, count, letters, …], areas [area, open, sold, …]]
-- INCLUDES state
-- FLAGS no-writes
local key, outbox, recorded = unpack(KEYS)

local changes, moved = state_of(key)
if not changes then return {"unknown_performance"} end
local newest = redis.call("XREVRANGE", outbox, "+", "-", "COUNT", 1)[1]
return {"state", newest and newest[1] or redis.call("GET", recorded) or "0-0", cmsgpack.pack({changes, moved})}
