-- Takes back what an order sold, or some of it: its seats and places come back as those of a hold that was let go, held
-- by nobody for the return delay; one outbox entry tells the ledger. The caller has read there, no earlier than at this
-- epoch and when the outbox was recorded up to `recorded_ms`, that these items of the order still stand. A return that the ledger did not
-- know then lies behind that cursor, and is remembered here for longer than a cursor may lag.
--
-- KEYS  cell operation order outbox sale (performance index due)…
-- ARGV  epoch fingerprint recorded_ms hold action payload parts total
-- WHERE parts: packed [[item, …], [item, …], [part, …]]: which items of the order still stand there, which come back,
--       and for each performance what was sold, see `come_back`; hold: its name now;
--       payload: the order, for whoever asks for it, where it is not remembered here
-- REPLY returned: entry order sequence | already_returned | behind | not_sold | other_payload | unknown_performance
--       | closed | fenced: epoch
-- INCLUDES gate recall step draft_all come_back settle remember
-- FLAGS allow-oom
local cell, operation, order, outbox, sale = unpack(KEYS)
local epoch, fingerprint, recorded_ms, hold, action, payload, parts, total = unpack(ARGV)

local refusal = gate(cell, epoch)
if refusal then return refusal end
local answer = recall(operation, fingerprint)
if answer then return answer end
local found = read_returns(order)
local standing, items, sold = unpack(cmsgpack.unpack(parts))
if is_returned(found, items) then return {"already_returned"} end
local step = step_of(cell, outbox, epoch)
if is_behind(step, recorded_ms) then return {"behind"} end
local performances = draft_all(KEYS, 6, step)
if not performances then return {"unknown_performance"} end
for number, performance in ipairs(performances) do
  if not is_sold(performance, sold[number]) then return {"not_sold"} end
end

for number, performance in ipairs(performances) do
  take_back(performance, sold[number], hold, "refund")
  settle(performance)
end
local entry = redis.call("XADD", outbox, "*", "kind", "return", "data", action)
write_returns(order, sale, found, standing, items, total, payload, entry, action, "refunded")
return remember(operation, fingerprint, 86400, {"returned", entry, order, numbered(step)})
