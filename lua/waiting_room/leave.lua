-- Takes note that whoever is inside has left, or is here again. Who has left keeps their slot for a moment more, and then
-- it is the next visitor's; who comes back in that time has the end that their pass was given. The newest word counts, by
-- the clock of whoever says it: words may overtake each other. A pass that another device took over gives nothing back.
--
-- KEYS  cell live presence
-- ARGV  epoch place said_ms ends_at_ms grace_ms
-- WHERE place: see `pass_of`; ends_at_ms: the end that its pass was given; grace_ms: 0 for who is here again
-- REPLY inside: expires_at_ms sequence | moved | pass_ended | closed | fenced: epoch
-- INCLUDES clock gate pass_of sequence
-- FLAGS
local cell, live, presence = unpack(KEYS)
local epoch, place, said_ms, ends_at_ms, grace_ms = unpack(ARGV)
said_ms, ends_at_ms, grace_ms = tonumber(said_ms), tonumber(ends_at_ms), tonumber(grace_ms)

local refusal = gate(cell, epoch)
if refusal then return refusal end
local now = clock()
local member, expires_at_ms, has_moved = find_pass(live, place)
if has_moved then return {"moved"} end
if expires_at_ms <= now then return {"pass_ended"} end

if said_ms > (tonumber(redis.call("GET", presence)) or 0) then
  local _, generation = pass_of(live, member)
  expires_at_ms = grace_ms > 0 and math.min(expires_at_ms, now + grace_ms) or math.max(expires_at_ms, ends_at_ms)
  redis.call("SET", presence, said_ms, "PX", math.max(expires_at_ms, ends_at_ms) - now)
  redis.call("ZADD", live, score_of(expires_at_ms, generation), member)
end
return {"inside", expires_at_ms, sequence(cell)}
