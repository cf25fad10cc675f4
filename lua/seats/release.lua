-- Ends a hold by its owner's wish, in every performance it spans.
--
-- KEYS  cell operation outbox (performance index due)…
-- ARGV  epoch fingerprint hold owner
-- REPLY released: sequence | other_payload | hold_ended | unknown_performance | closed | fenced: epoch
-- INCLUDES gate recall step draft_all free_hold settle remember
-- FLAGS allow-oom
local cell, operation, outbox = KEYS[1], KEYS[2], KEYS[3]
local epoch, fingerprint, hold, owner = unpack(ARGV)

local refusal = gate(cell, epoch)
if refusal then return refusal end
local answer = recall(operation, fingerprint)
if answer then return answer end
local step = step_of(cell, outbox, epoch)
local performances = draft_all(KEYS, 4, step, owner, hold)
if not performances then return {"unknown_performance"} end

for _, performance in ipairs(performances) do
  performance.hold = performance.stored and cmsgpack.unpack(performance.stored)
  if not performance.hold or performance.hold[1] ~= owner then return {"hold_ended"} end
end

for _, performance in ipairs(performances) do
  free_hold(performance, hold, performance.hold, "release")
  settle(performance)
end
return remember(operation, fingerprint, 86400, {"released", numbered(step)})
