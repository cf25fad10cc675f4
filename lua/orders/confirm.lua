-- Sells what the named holds hold: seats sold, holds gone, one outbox entry, in one step under one clock.
-- An empty owner is the house's own back end or a payment that arrived: it may confirm anybody's holds.
--
-- KEYS  cell operation payment order outbox sale live (performance due)…
-- ARGV  epoch fingerprint owner place payload holds total customer
-- WHERE place: see `pass_of`; empty where nobody's pass ends with it; holds: packed [[hold, performance, …], …],
--       performance counting from 1; customer: packed [mark, most], see `bought`
-- REPLY confirmed: entry order sequence | limit: performance bought | payment_used: order | moved | other_payload
--       | hold_ended: hold | unknown_performance | closed | fenced: epoch
-- INCLUDES gate recall pass_of step draft bought put_sold write_order remember
-- FLAGS allow-oom
local cell, operation, payment, order, outbox, sale, live = unpack(KEYS)
local epoch, fingerprint, owner, place, payload, holds, total, customer = unpack(ARGV)

local refusal = gate(cell, epoch)
if refusal then return refusal end
local answer = recall(operation, fingerprint)
if answer then return answer end
local paid_for = redis.call("GET", payment)
if paid_for and paid_for ~= order then return {"payment_used", paid_for} end
local member, _, has_moved
if place ~= "" then member, _, has_moved = find_pass(live, place) end
if has_moved then return {"moved"} end
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
    for place = 3, #record[3], 3 do performance.buys = (performance.buys or 0) + record[3][place] end
    for place = 2, #record[4], 2 do performance.buys = (performance.buys or 0) + record[4][place] end
  end
end
local mark, most = unpack(cmsgpack.unpack(customer))
for number, performance in ipairs(performances) do
  local before = may_buy(performance, mark, most, performance.buys or 0)
  if before then return {"limit", number, before} end
end

for _, part in ipairs(parts) do put_sold(part[1], part[2], part[3]) end
for _, performance in ipairs(performances) do
  write_sold(performance)
  note_bought(performance, mark, performance.buys or 0)
end
if member then redis.call("ZREM", live, member) end
local entry = write_order(sale, outbox, payment, order, payload, total, "order")
return remember(operation, fingerprint, 86400, {"confirmed", entry, order, numbered(step)})
