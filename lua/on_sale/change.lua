-- What a house's manager does to a running on-sale: open, pause, resume, drain, stop, close, sell out, and set its
-- rate, what that becomes later, cap, message, safety net, or what guards do while we are away. The line's clock is
-- turned first, so that a new pace never reaches into the past. A drained line calls nobody further; a pause besides lets in nobody who was called;
-- a stop besides ends every pass, and whoever had one may come in again afterwards, like all who were called, and stay
-- as long as anybody.
-- What was done, by whom and why leaves with it for the ledger.
--
-- KEYS  cell operation sale live outbox stays
-- ARGV  epoch fingerprint verb value action
-- REPLY changed: phase sequence | other_payload | wrong_phase: phase | unknown_on_sale | closed | fenced: epoch
-- INCLUDES clock gate recall turn door lines sequence remember
-- FLAGS
local cell, operation, sale, live, outbox, stays = unpack(KEYS)
local epoch, fingerprint, verb, value, action = unpack(ARGV)

local refusal = gate(cell, epoch)
if refusal then return refusal end
local answer = recall(operation, fingerprint)
if answer then return answer end
local now = clock()
local line = turn(sale, live, now)

if not line then return {"unknown_on_sale"} end
local phase = line.phase
local is_going_on = line.phase == "open" or line.running[1]
local fields
if verb == "open" and (phase == "scheduled" or phase == "prequeue") then
  phase = "open"
  fields = {"phase", phase, "opens_at_ms", now, "served_at_ms", now, "mark_at_ms", now, "entrants", line.joined}
elseif verb == "pause" and is_going_on then
  phase = "paused"
  fields = {"phase", phase}
elseif verb == "resume" and (phase == "paused" or phase == "sold_out" or line.draining == 1) then
  fields = {"phase", "open", "served_at_ms", now, "mark_at_ms", now, "draining", 0, "stopped", 0,
    "is_held", 1}
  -- Held up for another line, before the public one had opened: that is as far as its times say.
  if line.mark_at_ms == 0 then fields[2], fields[6] = "scheduled", 0 end
  phase = fields[2]
  for_others(line, fields, {"mark_at_ms", now})
elseif verb == "drain" and is_going_on and line.draining == 0 then
  fields = {"draining", 1}
elseif verb == "stop" and (is_going_on or (phase == "paused" and line.stopped == 0)) then
  phase = "paused"
  fields = {"phase", phase, "stopped", 1, "mark", 0, "gone", 0}
  for_others(line, fields, {"mark", 0, "gone", 0})
elseif verb == "sell_out" and (phase == "open" or phase == "paused") then
  phase = "sold_out"
  fields = {"phase", phase}
elseif verb == "close" and phase ~= "closed" then
  phase = "closed"
  fields = {"phase", phase}
elseif verb == "rate" then
  local lowered = tonumber(value) < line.rate and 1 or 0
  fields = {"rate", value, "lowered", lowered, "served_at_ms", now, door_fields(line, now, 0)}
elseif verb == "cap" or verb == "message" or verb == "fails" then
  fields = {verb, value}
elseif verb == "schedule" then
  fields = {"rates", value}
elseif verb == "net_per_minute" then
  fields = {verb, value, "net_rests", 0}
else
  return {"wrong_phase", phase}
end

redis.call("HSET", sale, unpack(fields))
if verb == "stop" then
  for _, each in ipairs({live, stays}) do redis.call("ZREMRANGEBYSCORE", each, "-inf", "+inf") end
end
redis.call("XADD", outbox, "*", "kind", "action", "data", action)
return remember(operation, fingerprint, 86400, {"changed", phase, sequence(cell)})
