-- Exchanges what an order sold, or some of it, for what holds hold, in one step: the holds are sold as another order, and
-- what was exchanged comes back, as in `return`; or nothing changes. One outbox entry tells the ledger of both. Of what
-- the caller has read in the ledger the same is asked as there.
--
-- KEYS  cell operation payment order sale former former_sale outbox (performance index due)…
-- ARGV  epoch fingerprint recorded_ms owner payload former_payload action parts
-- WHERE former_payload: as the payload of `return`; parts: packed [[item, …], [item, …], [[performance, part], …], hold,
--       [[hold, performance, …], …], total, new total]: which items of the former order still stand, which come back,
--       what of them was sold, see `come_back`, its name as a hold, the holds that are sold, and the money of what comes
--       back and of the new order; performance counting from 1
-- REPLY exchanged: entry order sequence | already_returned | behind | not_sold | hold_ended: hold | payment_used: order
--       | other_payload | unknown_performance | closed | fenced: epoch
-- INCLUDES gate recall step draft_all come_back put_sold settle write_order remember
-- FLAGS allow-oom
local cell, operation, payment, order, sale, former, former_sale, outbox = unpack(KEYS)
local epoch, fingerprint, recorded_ms, owner, payload, former_payload, action, parts = unpack(ARGV)

local refusal = gate(cell, epoch)
if refusal then return refusal end
local answer = recall(operation, fingerprint)
if answer then return answer end
local found = read_returns(former)
local standing, items, sold, name, holds, total, new_total = unpack(cmsgpack.unpack(parts))
if is_returned(found, items) then return {"already_returned"} end
local paid_for = redis.call("GET", payment)
if paid_for and paid_for ~= order then return {"payment_used", paid_for} end
local step = step_of(cell, outbox, epoch)
if is_behind(step, recorded_ms) then return {"behind"} end
local performances = draft_all(KEYS, 9, step)
if not performances then return {"unknown_performance"} end
for _, back in ipairs(sold) do
  if not is_sold(performances[back[1]], back[2]) then return {"not_sold"} end
end
local bought = {}
for _, names in ipairs(holds) do
  for at = 2, #names do
    local performance = performances[names[at]]
    local stored = redis.call("HGET", performance.key, "h" .. names[1])
    local record = stored and cmsgpack.unpack(stored)
    if not record or record[1] ~= owner or record[2] <= step.now then return {"hold_ended", names[1]} end
    bought[#bought + 1] = {performance, names[1], record}
  end
end

for _, part in ipairs(bought) do put_sold(part[1], part[2], part[3]) end
for _, back in ipairs(sold) do take_back(performances[back[1]], back[2], name, "exchange") end
for _, performance in ipairs(performances) do settle(performance) end
local entry = write_order(sale, outbox, payment, order, payload, new_total, "exchange")
write_returns(former, former_sale, found, standing, items, total, former_payload, entry, action, "exchanged")
return remember(operation, fingerprint, 86400, {"exchanged", entry, order, numbered(step)})
