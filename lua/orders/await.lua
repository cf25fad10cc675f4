-- Keeps the holds of an order whose payment is still under way, once, to a stated limit, and none beyond the longest
-- life of a hold. Answers when the first of them ends. The ledger is told: money may come when Redis has forgotten the order.
--
-- KEYS  cell operation payment order outbox (performance due)…
-- ARGV  epoch fingerprint owner payload holds keep_ms
-- WHERE holds: packed [[hold, performance, …], …], performance counting from 1
-- REPLY awaiting: expires_at_ms order sequence | payment_used: order | other_payload | hold_ended: hold
--       | unknown_performance | closed | fenced: epoch
-- INCLUDES clock gate recall sequence remember
-- FLAGS allow-oom
local cell, operation, payment, order, outbox = unpack(KEYS)
local epoch, fingerprint, owner, payload, holds, keep_ms = unpack(ARGV)

local refusal = gate(cell, epoch)
if refusal then return refusal end
local answer = recall(operation, fingerprint)
if answer then return answer end
local paid_for = redis.call("GET", payment)
if paid_for and paid_for ~= order then return {"payment_used", paid_for} end
local now = clock()
local parts = {}
for _, names in ipairs(cmsgpack.unpack(holds)) do
  for at = 2, #names do
    local key, due = KEYS[4 + 2 * names[at]], KEYS[5 + 2 * names[at]]
    local stored = redis.call("HGET", key, "h" .. names[1])
    if not stored and redis.call("HEXISTS", key, "v") == 0 then return {"unknown_performance"} end
    local record = stored and cmsgpack.unpack(stored)
    if not record or record[1] == "" or record[2] <= now or (owner ~= "" and record[1] ~= owner) then
      return {"hold_ended", names[1]}
    end
    parts[#parts + 1] = {key, due, names[1], record}
  end
end

local kept_until_ms, expires_at_ms = now + tonumber(keep_ms), nil
for _, part in ipairs(parts) do
  local record = part[4]
  if record[5] == 0 then
    record[2], record[5] = math.max(record[2], math.min(kept_until_ms, record[8] or kept_until_ms)), 1
  end
  expires_at_ms = math.min(expires_at_ms or record[2], record[2])
  redis.call("HSET", part[1], "h" .. part[3], cmsgpack.pack(record))
  redis.call("ZADD", part[2], record[2], part[3])
end
if not paid_for then redis.call("XADD", outbox, "*", "kind", "await", "data", payload) end
redis.call("SET", payment, order, "EX", 86400)
redis.call("SET", order, cmsgpack.pack({"awaiting_payment", "", payload, holds}), "EX", 86400)
return remember(operation, fingerprint, 86400, {"awaiting", expires_at_ms, order, sequence(cell)})
