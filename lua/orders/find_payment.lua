-- The key of the order that a payment bought, or that waits for it.
--
-- KEYS  payment
-- ARGV
-- REPLY paid_for: order | unknown_payment
-- INCLUDES
-- FLAGS no-writes
local order = redis.call("GET", KEYS[1])
if not order then return {"unknown_payment"} end
return {"paid_for", order}
