-- Lets a called visitor in: one bit for the claim, and the end of the pass while it lives. A repeated claim renews and
-- never makes a second shopper: the pass that it gives is of a new generation, and the former opens nothing any more.
-- Whoever names the pass that they renew takes it over from no other device. Whoever was in comes in again for some
-- time after their pass has ended, whoever was called meanwhile. However it is renewed, a place lets somebody stay
-- inside for so long in all, counted from its first claim. The passes handed out in any minute are at most the pace and
-- a burst; whoever is called and finds the house full, or too many at the door, keeps the turn. `position` is worked
-- out by the caller from the draw's seed and the number of entrants; if that number was not yet known, the caller is
-- told and asks again; -1: see `borders`. Each line has its positions; pace and cap are the house's, over all of its
-- lines. A `person` (empty: anybody) has one pass and one stay, with whichever place; of each line the newest place alone.
--
-- KEYS  cell sale live claimed operation persons stays
-- ARGV  epoch fingerprint line_name index position entrants terms
-- WHERE terms: packed [pass_ms, leeway_ms, stay_ms, grace_ms, kept_ms, renews, joined_at_ms, person]; leeway_ms: so much
--       longer than its pass a slot lives; stay_ms: so long a place lets somebody stay, 0: for ever; kept_ms: so long a
--       pass that has ended is kept in mind; renews: the generation that is renewed, or -1; joined_at_ms: see `waits`;
--       expires_at_ms: of the slot; stay_ends_at_ms: 0 where it never does; wait_ms: 0 where nobody can say
-- REPLY admitted: expires_at_ms generation stay_ends_at_ms sequence
--       | renewed: expires_at_ms generation stay_ends_at_ms sequence | other_payload | stay_over: stay_ends_at_ms
--       | not_yet: now_serving wait_ms | drawn: entrants | moved | paused | full | paced: wait_ms | gone | ended: phase
--       | unknown_line | unknown_on_sale | closed | fenced: epoch
-- INCLUDES clock gate recall turn lines borders until_called of_line pass_of gone stay door waits sequence remember
-- FLAGS
local cell, sale, live, claimed, operation, persons, stays = unpack(KEYS)
local epoch, fingerprint, line_name, index, _, entrants, terms = unpack(ARGV)
local position = tonumber(ARGV[5])
local pass_ms, leeway_ms, stay_ms, grace_ms, kept_ms, renews, joined_at_ms, person = unpack(cmsgpack.unpack(terms))
local member, place = live_member(line_name, index, person), live_member(line_name, index, "")

local refusal = gate(cell, epoch)
if refusal then return refusal end
local answer = recall(operation, fingerprint)
if answer then return answer end
local now = clock()
local room = turn(sale, live, now)

if not room then return {"unknown_on_sale"} end
local line = line_of(room, line_name)
if not line then return {"unknown_line"} end
local phase = phase_of(room, line, now)
if phase == "closed" or phase == "sold_out" then return {"ended", phase} end
if phase == "scheduled" or phase == "prequeue" then
  return {"not_yet", line.now_serving, math.max(0, line.opens_at_ms - now)}
end
local newest = person ~= "" and tonumber(redis.call("HGET", persons, of_line(person, line_name)))
if newest and newest > tonumber(index) then return {"gone"} end
if line.entrants ~= tonumber(entrants) then return {"drawn", line.entrants} end
if position < 0 then return by_window.unknown(room, line, tonumber(index), now) end
if position >= line.now_serving then return {"not_yet", line.now_serving, until_called(room, line, position)} end
local ended_at_ms, former = pass_of(live, member)
if former and renews >= 0 and renews ~= former then return {"moved"} end
local since_ms, stay_ends_at_ms = stay.of(stays, member, place, stay_ms, now)
if stay_ms > 0 and stay_ends_at_ms <= now then return {"stay_over", stay_ends_at_ms} end
local alive = ended_at_ms > now
local returning = redis.call("GETBIT", claimed, index) == 1
if not alive then
  if is_gone(line, position, ended_at_ms, now, grace_ms) then return {"gone"} end
  if room.phase == "paused" and (room.stopped == 1 or not returning) then return {"paused"} end
  if room.inside >= room.cap then return {"full"} end
  if room.pace == 0 then return {"paced", room.rate == 0 and 60000 or 5000} end
  local wait_ms = early_ms(room, now)
  if wait_ms > 0 then return {"paced", wait_ms} end
end

local expires_at_ms = now + pass_ms + leeway_ms
if stay_ms > 0 then expires_at_ms = math.min(expires_at_ms, stay_ends_at_ms + leeway_ms) end
-- Where nothing of a former one is known, the clock tells them apart.
local generation = (former and former + 1 or math.floor(now / 1000)) % GENERATIONS
if not alive then
  redis.call("ZREMRANGEBYSCORE", live, "-inf", now - kept_ms)
  redis.call("HSET", sale, "admitted", room.admitted + (returning and 0 or 1), door_fields(room, now, 1))
  if not returning then count_wait(sale, line, joined_at_ms, now) end
end
redis.call("ZADD", live, score_of(expires_at_ms, generation), member)
if not returning then redis.call("SETBIT", claimed, index, 1) end
if stay_ms > 0 and not since_ms then stay.begin(stays, member, stay_ms, kept_ms, now) end
local word = returning and "renewed" or "admitted"
return remember(operation, fingerprint, 60, {word, expires_at_ms, generation, stay_ends_at_ms, sequence(cell)})
