-- What a house's manager does to a running on-sale: open, pause, resume, close, sell out, and set its rate,
-- cap or message. The line's clock is turned first, so that a new pace never reaches into the past.
--
-- KEYS  cell sale live
-- ARGV  epoch verb value
-- REPLY changed: phase sequence | wrong_phase: phase | unknown_on_sale | closed | fenced: epoch
-- INCLUDES clock gate turn sequence
-- FLAGS
local cell, sale, live = unpack(KEYS)
local epoch, verb, value = unpack(ARGV)

local refusal = gate(cell, epoch)
if refusal then return refusal end
local now = clock()
local line = turn(sale, live, now)

if not line then return {"unknown_on_sale"} end
local phase = line.phase
local fields
if verb == "open" and (phase == "scheduled" or phase == "prequeue") then
  phase = "open"
  fields = {"phase", phase, "opens_at_ms", now, "served_at_ms", now, "mark_at_ms", now, "entrants", line.joined}
elseif verb == "pause" and phase == "open" then
  phase = "paused"
  fields = {"phase", phase}
elseif verb == "resume" and (phase == "paused" or phase == "sold_out") then
  phase = "open"
  fields = {"phase", phase, "served_at_ms", now}
elseif verb == "sell_out" and (phase == "open" or phase == "paused") then
  phase = "sold_out"
  fields = {"phase", phase}
elseif verb == "close" and phase ~= "closed" then
  phase = "closed"
  fields = {"phase", phase}
elseif verb == "rate" or verb == "cap" or verb == "message" then
  fields = {verb, value}
else
  return {"wrong_phase", phase}
end

redis.call("HSET", sale, unpack(fields))
return {"changed", phase, sequence(cell)}
