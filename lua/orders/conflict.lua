-- A payment arrived for holds that had ended: the order is recorded as conflicted, with one refund request.
--
-- KEYS  cell operation payment order outbox
-- ARGV  epoch fingerprint payload
-- REPLY conflicted: entry order sequence | payment_used: order | other_payload | closed | fenced: epoch
-- INCLUDES gate recall sequence remember
-- FLAGS allow-oom
local cell, operation, payment, order, outbox = unpack(KEYS)
local epoch, fingerprint, payload = unpack(ARGV)

local refusal = gate(cell, epoch)
if refusal then return refusal end
local answer = recall(operation, fingerprint)
if answer then return answer end
local paid_for = redis.call("GET", payment)
if paid_for and paid_for ~= order then return {"payment_used", paid_for} end

local entry = redis.call("XADD", outbox, "*", "kind", "conflict", "data", payload)
redis.call("SET", payment, order, "EX", 2592000)
redis.call("SET", order, cmsgpack.pack({"conflicted", entry, payload}), "EX", 86400)
return remember(operation, fingerprint, 86400, {"conflicted", entry, order, sequence(cell)})
