-- Takes note that whoever holds has left, or is here again. Who has left keeps what they hold for a moment more; who comes
-- back in that time has their former end. The newest word counts, by the clock of whoever says it: words may overtake
-- each other. What is being paid ends when it would.
--
-- KEYS  cell (performance due)…
-- ARGV  epoch hold owner said_ms grace_ms
-- WHERE grace_ms: 0 for who is here again; a hold's record has behind its `latest_ms` the end that it had before, or 0,
--       and when the last word was said
-- REPLY held: expires_at_ms sequence | hold_ended | unknown_performance | closed | fenced: epoch
-- INCLUDES clock gate sequence end_of
-- FLAGS
local cell = KEYS[1]
local epoch, hold, owner, said_ms, grace_ms = unpack(ARGV)

local refusal = gate(cell, epoch)
if refusal then return refusal end
local now, parts = clock(), {}
for at = 2, #KEYS, 2 do
  local stored = redis.call("HGET", KEYS[at], "h" .. hold)
  if not stored and redis.call("HEXISTS", KEYS[at], "v") == 0 then return {"unknown_performance"} end
  local record = stored and cmsgpack.unpack(stored)
  if not record or record[1] ~= owner or record[2] <= now then return {"hold_ended"} end
  parts[#parts + 1] = {KEYS[at], KEYS[at + 1], record}
end

said_ms, grace_ms = tonumber(said_ms), tonumber(grace_ms)
local expires_at_ms = math.huge
for _, part in ipairs(parts) do
  local record = part[3]
  if record[5] == 0 and said_ms > (record[10] or 0) then
    local former = end_of(record)
    record[2] = grace_ms > 0 and math.min(former, now + grace_ms) or former
    record[6], record[7], record[8] = record[6] or "", record[7] or {}, record[8] or former
    record[9], record[10] = grace_ms > 0 and former or 0, said_ms
    redis.call("HSET", part[1], "h" .. hold, cmsgpack.pack(record))
    redis.call("ZADD", part[2], record[2], hold)
  end
  expires_at_ms = math.min(expires_at_ms, record[2])
end
return {"held", expires_at_ms, sequence(cell)}
