-- Sells what the named holds hold: seats sold, holds gone, one outbox entry, in one step under one clock.
-- An empty owner is the house's own back end or a payment that arrived: it may confirm anybody's holds.
--
-- KEYS  cell operation payment order outbox sale live (performance due)…
-- ARGV  epoch fingerprint owner place payload holds total
-- WHERE holds: packed [[hold, performance, …], …], performance counting from 1
-- REPLY confirmed: entry order sequence | payment_used: order | other_payload | hold_ended: hold | unknown_performance | closed | fenced: epoch
-- INCLUDES gate recall step draft put_sold remember
-- FLAGS allow-oom
local cell, operation, payment, order, outbox, sale, live = unpack(KEYS)
local epoch, fingerprint, owner, place, payload, holds, total = unpack(ARGV)

local refusal = gate(cell, epoch)
if refusal then return refusal end
local answer = recall(operation, fingerprint)
if answer then return answer end
local paid_for = redis.call("GET", payment)
if paid_for and paid_for ~= order then return {"payment_used", paid_for} end
local step = step_of(cell, outbox, epoch)
local performances = {}
for at = 8, #KEYS, 2 do
  local performance = draft(KEYS[at], nil, KEYS[at + 1], step)
  if not performance then return {"unknown_performance"} end
  performances[#performances + 1] = performance
end

holds = cmsgpack.unpack(holds)
local parts = {}
for number, names in ipairs(holds) do
  for at = 2, #names do
    local performance = performances[names[at]]
    local stored = redis.call("HGET", performance.key, "h" .. names[1])
    local record = stored and cmsgpack.unpack(stored)
    if not record or record[1] == "" or record[2] <= step.now or (owner ~= "" and record[1] ~= owner) then
      return {"hold_ended", names[1]}
    end
    parts[#parts + 1] = {performance, names[1], record}
  end
end

for _, part in ipairs(parts) do put_sold(part[1], part[2], part[3]) end
for _, performance in ipairs(performances) do write_sold(performance) end
redis.call("HINCRBY", sale, "orders", 1)
redis.call("HINCRBY", sale, "takings", total)
if place ~= "" then redis.call("ZREM", live, place) end
local entry = redis.call("XADD", outbox, "*", "kind", "order", "data", payload)
redis.call("SET", payment, order, "EX", 86400)
redis.call("SET", order, cmsgpack.pack({"confirmed", entry, payload}), "EX", 86400)
return remember(operation, fingerprint, 86400, {"confirmed", entry, order, numbered(step)})
