-- Keeps a hold longer, once, while its payment is under way, and never beyond the longest life of a hold.
--
-- KEYS  cell operation outbox (performance index due)…
-- ARGV  epoch fingerprint hold owner extend_ms
-- REPLY extended: expires_at_ms sequence | other_payload | hold_ended | already_extended
--       | unknown_performance | closed | fenced: epoch
-- INCLUDES gate recall step draft_all end_of remember
-- FLAGS allow-oom
local cell, operation, outbox = KEYS[1], KEYS[2], KEYS[3]
local epoch, fingerprint, hold, owner, extend_ms = unpack(ARGV)

local refusal = gate(cell, epoch)
if refusal then return refusal end
local answer = recall(operation, fingerprint)
if answer then return answer end
local step = step_of(cell, outbox, epoch)
local performances = draft_all(KEYS, 4, step)
if not performances then return {"unknown_performance"} end

for _, performance in ipairs(performances) do
  local stored = redis.call("HGET", performance.key, "h" .. hold)
  performance.hold = stored and cmsgpack.unpack(stored)
  if not performance.hold or performance.hold[1] ~= owner or performance.hold[2] <= step.now then return {"hold_ended"} end
  if performance.hold[5] == 1 then return {"already_extended"} end
end

local expires_at_ms = 0
for _, performance in ipairs(performances) do
  local record = performance.hold
  local former = end_of(record)
  expires_at_ms = math.max(former, math.min(former + tonumber(extend_ms), record[8] or math.huge))
  record[2], record[5] = expires_at_ms, 1
  redis.call("HSET", performance.key, "h" .. hold, cmsgpack.pack(record))
  redis.call("ZADD", performance.due, expires_at_ms, hold)
end
return remember(operation, fingerprint, 86400, {"extended", expires_at_ms, numbered(step)})
