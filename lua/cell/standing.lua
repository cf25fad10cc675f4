-- How far an open cell is, to be kept in the ledger in case this Redis is lost: its sequence, and how many holds live.
-- A cell that is closed may be from the past and tells nothing.
--
-- KEYS  cell (due)…
-- ARGV  epoch
-- WHERE held: which of the performances have any, counted from 1
-- REPLY standing: sequence holds held | closed | fenced: epoch
-- INCLUDES gate
-- FLAGS no-writes
local cell = KEYS[1]

local refusal = gate(cell, ARGV[1])
if refusal then return refusal end

local holds, held = 0, {}
for at = 2, #KEYS, 1 do
  local count = redis.call("ZCARD", KEYS[at])
  holds = holds + count
  if count > 0 then held[#held + 1] = at - 1 end
end
return {"standing", tonumber(redis.call("HGET", cell, "sequence")) or 0, holds, held}
