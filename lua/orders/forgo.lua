-- Gives up on a payment that no order has named for long: it buys nothing any more, and its money goes back.
--
-- KEYS  cell payment
-- ARGV  epoch seconds
-- REPLY forgone: sequence | paid_for: order | closed | fenced: epoch
-- INCLUDES gate sequence
-- FLAGS
local cell, payment = KEYS[1], KEYS[2]
local epoch, seconds = ARGV[1], ARGV[2]

local refusal = gate(cell, epoch)
if refusal then return refusal end
local paid_for = redis.call("GET", payment)
if paid_for and paid_for ~= "" then return {"paid_for", paid_for} end

redis.call("SET", payment, "", "EX", seconds)
return {"forgone", sequence(cell)}
