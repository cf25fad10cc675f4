-- Writes an order that is paid: it counts for its on-sale, one outbox entry, and what is remembered: of it for a day,
-- of its payment for 30.
-- `kind`: of the entry.
-- INCLUDES
local function write_order(sale, outbox, payment, order, payload, total, kind)
  redis.call("HINCRBY", sale, "orders", 1)
  redis.call("HINCRBY", sale, "takings", total)
  local entry = redis.call("XADD", outbox, "*", "kind", kind, "data", payload)
  redis.call("SET", payment, order, "EX", 2592000)
  redis.call("SET", order, cmsgpack.pack({"confirmed", entry, payload}), "EX", 86400)
  return entry
end
