-- How far an open cell is, to be kept in the ledger in case this Redis is lost: its sequence, and how many holds live.
-- A cell that is closed may be from the past and tells nothing.
--
-- KEYS  cell (due)…
-- ARGV  epoch
-- REPLY standing: sequence holds | closed | fenced: epoch
-- INCLUDES gate
-- FLAGS no-writes
local cell = KEYS[1]

local refusal = gate(cell, ARGV[1])
if refusal then return refusal end

local holds = 0
for at = 2, #KEYS, 1 do holds = holds + redis.call("ZCARD", KEYS[at]) end
return {"standing", tonumber(redis.call("HGET", cell, "sequence")) or 0, holds}
