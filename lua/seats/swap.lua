-- Exchanges what a hold holds for something else in one step: what it has is given up and the other taken, or nothing
-- changes. It keeps its end: whoever swaps has no more time.
--
-- KEYS  cell operation outbox sale live (performance index due)…
-- ARGV  epoch fingerprint hold owner place terms items former
-- WHERE place, terms, items, record, ways: see `hold`; former: packed [hold, performance, …], what is given up, and in which
--       performances; those of which nothing is wanted come last
-- REPLY held: expires_at_ms sequence (record)… ways | other_payload | hold_ended | being_paid | pass_ended | moved
--       | ended: phase | limit: performance owned | cool_down: until_ms | code_used: code left
--       | taken: (item block offset)… | whole: item block | none: item largest | alone: performance block offset other_block other_offset k
--       | unknown_performance | closed | fenced: epoch
-- INCLUDES gate recall step draft_all may_shop end_of give_up choose write_hold remember
-- FLAGS
local cell, operation, outbox, sale, live = unpack(KEYS)
local epoch, fingerprint, hold, owner, place, terms, items, former = unpack(ARGV)

local refusal = gate(cell, epoch)
if refusal then return refusal end
local answer = recall(operation, fingerprint)
if answer then return answer end
local step = step_of(cell, outbox, epoch)
if is_quiet(cell, step.now) then return {"closed"} end
local performances = draft_all(KEYS, 6, step, owner)
if not performances then return {"unknown_performance"} end

terms, former = terms_in(terms), cmsgpack.unpack(former)
refusal = may_shop(sale, live, place, step.now)
if refusal then return refusal end
local uses, expires_at_ms, latest_ms = {}, math.huge, math.huge
for at = 2, #former do
  local performance = performances[former[at]]
  local stored = redis.call("HGET", performance.key, "h" .. former[1])
  local record = stored and cmsgpack.unpack(stored)
  if not record or record[1] ~= owner or record[2] <= step.now then return {"hold_ended"} end
  if record[5] == 1 then return {"being_paid"} end
  give_up(performance, record)
  for code = 1, #(record[7] or {}), 2 do uses[record[7][code]] = (uses[record[7][code]] or 0) + record[7][code + 1] end
  expires_at_ms = math.min(expires_at_ms, end_of(record))
  latest_ms = math.min(latest_ms, record[8] or step.now + terms[7])
end
local none, chosen = choose(performances, place, terms, cmsgpack.unpack(items), uses)
if none then return none end
for at = 2, #former do
  refusal = left_behind(performances[former[at]]) and cooling_down(performances, terms)
  if refusal then return refusal end
end

local reply = {"held", expires_at_ms, numbered(step)}
for at = 2, #former do leave(performances[former[at]], former[1], owner) end
write_hold(performances, hold, owner, expires_at_ms, latest_ms, chosen, "swap", reply)
-- For a day more than it may live: until then no other hold has its name, nor its token's prices.
return remember(operation, fingerprint, 86400 + math.ceil(terms[7] / 1000), reply)
