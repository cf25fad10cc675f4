-- The key of the order that a payment bought, or that waits for it; or that its money has been given up.
--
-- KEYS  payment
-- ARGV
-- REPLY paid_for: order | forgone | unknown_payment
-- INCLUDES
-- FLAGS no-writes
local order = redis.call("GET", KEYS[1])
if not order then return {"unknown_payment"} end
if order == "" then return {"forgone"} end
return {"paid_for", order}
