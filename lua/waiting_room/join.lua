-- Gives a visitor the next index of a line. The place itself is a signed token: what stays here is a counter,
-- an outbox entry until it is recorded, and for `kept_s` seconds the answers to repeats. Who is a `person` of the house
-- (empty: anybody) has one index in the line, however often they join, until their turn is over: then the next is theirs,
-- by the code that was theirs. A `code` (its id, or the number of an invitation;
-- empty: none is asked for) gives one place, to whoever shows it first. `action`: who of the house did this for somebody
-- else, and why; empty for visitors.
--
-- KEYS  cell sale live operation retry outbox persons stays
-- ARGV  epoch fingerprint secret_hash on_sale line_name line_length_limit who action
-- WHERE who: packed [kept_s, person, code, until_ms, grace_ms, stay_ms, leeway_ms, known_index, known_position]; until_ms:
--       so long the code counts, 0: as long as the line is open; grace_ms, stay_ms, leeway_ms: as in `admit`;
--       known_position: that of an index, where the caller was asked for it
-- REPLY joined: index sequence joined_at_ms | other_payload | not_yet_open: prequeue_at_ms | ended: phase | line_full
--       | drawn: entrants index | code_ended | code_used | line_over: closes_at_ms | unknown_line | unknown_on_sale | closed
--       | fenced: epoch
-- INCLUDES clock gate recall arrival turn lines of_line pass_of gone stay newcomer windows sequence remember
-- FLAGS
local cell, sale, live, operation, retry, outbox, persons, stays = unpack(KEYS)
local epoch, fingerprint, secret_hash, on_sale, line_name, line_length_limit, who, action = unpack(ARGV)
local kept_s, person, code, until_ms, grace_ms, stay_ms, leeway_ms, known_index, known_position =
  unpack(cmsgpack.unpack(who))
local own = person ~= "" and of_line(person, line_name)
local taken = code ~= "" and of_line("code/" .. code, line_name)

local refusal = gate(cell, epoch)
if refusal then return refusal end
local answer = recall(operation, fingerprint)
if answer then return answer end
local now = clock()
local room = (own and turn or room_for)(sale, live, now) -- whose turn is over is known by a clock that was turned

if not room then return {"unknown_on_sale"} end
local line = line_of(room, line_name)
if not line then return {"unknown_line"} end
local phase = phase_of(room, line, now)
if phase == "scheduled" then return {"not_yet_open", line.prequeue_at_ms} end
if phase == "closed" or phase == "sold_out" then return {"ended", phase} end
if phase == "over" then return {"line_over", line.closes_at_ms} end
local index, joined_at_ms = string.match(redis.call("GET", retry) or "", "^(%d+)%.?(%d*)$") -- an earlier release knows the index alone
local former
if own then
  former = redis.call("HGET", persons, own)
  if former ~= index then index, joined_at_ms = former, nil end
  local position = tonumber(former)
  if position and line.gone > 0 and position < math.max(line.entrants, line.border) then
    if known_index ~= position then return {"drawn", line.entrants, position} end
    position = known_position
  end
  local ended_at_ms = pass_of(live, person)
  local is_spent = position and (is_gone(line, position, ended_at_ms, now, grace_ms)
    or stay.is_over(stays, person, live_member(line_name, former, ""), stay_ms, leeway_ms, ended_at_ms, now))
  if is_spent then index, joined_at_ms = false, nil end
end
if not index then
  if until_ms > 0 and now >= until_ms then return {"code_ended"} end
  local whose = taken and redis.call("HGET", persons, taken)
  if whose and whose ~= former then return {"code_used"} end
  if line.joined >= tonumber(line_length_limit) then return {"line_full"} end
  newcomer(sale, room, now)
  count_window(sale, room, line, now)
  index = redis.call("HINCRBY", sale, of_line("joined", line_name), 1) - 1
  redis.call("SET", retry, index .. "." .. now, "EX", kept_s)
  redis.call("XADD", outbox, "*", "kind", "join", "on_sale", on_sale, "line", line_name,
    "index", index, "secret_hash", secret_hash)
  if own then
    redis.call("HSET", persons, own, index)
    stay.place(stays, person, live_member(line_name, index, ""), now)
    redis.call("XADD", outbox, "*", "kind", "person", "on_sale", on_sale, "person", own, "index", index)
  end
  if taken then
    redis.call("HSET", persons, taken, index)
    redis.call("XADD", outbox, "*", "kind", "person", "on_sale", on_sale, "person", taken, "index", index)
  end
  if action ~= "" then redis.call("XADD", outbox, "*", "kind", "action", "data", action) end
end
return remember(operation, fingerprint, 60, {"joined", tonumber(index), sequence(cell), tonumber(joined_at_ms or "") or now})
