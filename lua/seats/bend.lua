-- Changes when units are released by and by, for the time that has not passed yet, and publishes the performance with it.
--
-- KEYS  cell operation outbox catalogue performance index due
-- ARGV  epoch fingerprint name document action curve
-- WHERE name, document: the performance's, as it is published; curve: packed [[at_ms, percent, …], [block, …]], when so
--       many per cent of which units are released; of its instants those that have passed count no more
-- REPLY bent: sequence | other_payload | unknown_performance | closed | fenced: epoch
-- INCLUDES gate recall step draft sweep curve release_due remember
-- FLAGS
local cell, operation, outbox, catalogue, key, index, due = unpack(KEYS)
local epoch, fingerprint, name, document, action, curve = unpack(ARGV)
local SWEPT, A_DAY_S = 8, 86400

local refusal = gate(cell, epoch)
if refusal then return refusal end
local answer = recall(operation, fingerprint)
if answer then return answer end
local step = step_of(cell, outbox, epoch)
local performance = draft(key, index, due, step)
if not performance then return {"unknown_performance"} end
sweep(performance, SWEPT)

curve = cmsgpack.unpack(curve)
bend_curve(performance, curve[1], curve[2])
plan_release(performance)
redis.call("HSET", catalogue, name, document)
redis.call("HINCRBY", cell, "catalogue", 1)
redis.call("XADD", outbox, "*", "kind", "document", "data", action, "name", name, "body", document)
return remember(operation, fingerprint, A_DAY_S, {"bent", numbered(step)})
