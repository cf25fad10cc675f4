-- Holds named seats, best-available seats and standing places, over one or several performances:
-- all of them or nothing, for one owner, until one instant.
--
-- KEYS  cell operation outbox sale live (performance index due)…
-- ARGV  epoch fingerprint hold owner place terms items
-- WHERE terms: packed [hold_ms, limit, lone_rule, lone_last, unpaid_holds, cool_down_ms, longest_ms,
--       codes [code, count, most, …], letters [a string a performance]], see `strands` and `take`;
--       items: packed [[performance, "seats", block, offset, …] | [performance, "best", class, k, wish], see `find_best`
--       | [performance, "area", area, count], …], performance counting from 1;
--       record: for each performance its packed hold, see `free_hold`;
--       ways: packed [[item, split, leaves_alone], …], how the best of an item were found
-- REPLY held: expires_at_ms sequence (record)… ways | other_payload | pass_ended | ended: phase
--       | limit: performance owned | cool_down: until_ms | code_used: code left | taken: (item block offset)…
--       | none: item largest | alone: performance block offset other_block other_offset k
--       | unknown_performance | closed | fenced: epoch
-- INCLUDES gate recall step draft_all take strands settle history remember
-- FLAGS
local cell, operation, outbox, sale, live = unpack(KEYS)
local epoch, fingerprint, hold, owner, place, terms, items = unpack(ARGV)

local refusal = gate(cell, epoch)
if refusal then return refusal end
local answer = recall(operation, fingerprint)
if answer then return answer end
local step = step_of(cell, outbox, epoch)
if is_quiet(cell, step.now) then return {"closed"} end
local performances = draft_all(KEYS, 6, step)
if not performances then return {"unknown_performance"} end

-- An empty place is the house's own staff, who need no pass, and whom no rule binds.
if place ~= "" then
  local phase = redis.call("HGET", sale, "phase")
  if phase == "closed" then return {"ended", phase} end
  if (tonumber(redis.call("ZSCORE", live, place)) or 0) <= step.now then return {"pass_ended"} end
end

local hold_ms, limit, lone_rule, lone_last, unpaid_holds, cool_down_ms, longest_ms, codes, letters
  = unpack(cmsgpack.unpack(terms))
for _, performance in ipairs(performances) do
  performance.seats, performance.areas, performance.taken_places, performance.named = {}, {}, {}, {}
  performance.returns_to = {}
  local of_owner = redis.call("HMGET", performance.key, "o" .. owner, "w" .. owner)
  performance.owned = tonumber(of_owner[1]) or 0
  if unpaid_holds > 0 and of_owner[2] then
    local count, last_ms = string.match(of_owner[2], "^(%d+) (%d+)$")
    local until_ms = last_ms + cool_down_ms
    if tonumber(count) >= unpaid_holds and step.now < until_ms then return {"cool_down", until_ms} end
  end
end
local request = cmsgpack.unpack(items)
for _, item in ipairs(request) do
  local performance = performances[item[1]]
  local count = item[2] == "seats" and (#item - 2) / 2 or item[4]
  performance.owned = performance.owned + count
  if performance.owned > limit then return {"limit", item[1], performance.owned - count} end
end
local uses = {}
for at = 1, #codes, 3 do
  local used = tonumber(redis.call("HGET", cell, "u" .. codes[at])) or 0
  if used + codes[at + 1] > codes[at + 2] then return {"code_used", codes[at], math.max(0, codes[at + 2] - used)} end
  uses[#uses + 1], uses[#uses + 2] = codes[at], codes[at + 1]
end

local taken = {"taken"}
local ways = {}
for number, item in ipairs(request) do
  local none = take(performances[item[1]], number, item, taken, letters[item[1]] or "", lone_rule == 0 and 1 or 0, ways)
  if none then return none end
end
if #taken > 1 then return taken end
if lone_rule > 0 and place ~= "" then
  for number, performance in ipairs(performances) do
    local block, offset, other, beside, k = strands(performance, performance.named, lone_rule, lone_last)
    if block then return {"alone", number, block, offset, other, beside, k} end
  end
end

local expires_at_ms = step.now + hold_ms
local reply = {"held", expires_at_ms, numbered(step)}
for at = 1, #uses, 2 do redis.call("HINCRBY", cell, "u" .. uses[at], uses[at + 1]) end
for number, performance in ipairs(performances) do
  local fields = performance.fields
  local record = cmsgpack.pack({owner, expires_at_ms, performance.seats, performance.areas, 0,
    performance.is_allotted and table.concat(performance.returns_to) or "", number == 1 and uses or {},
    step.now + longest_ms})
  reply[3 + number] = record
  fields[1], fields[2] = "h" .. hold, record
  fields[3], fields[4] = "o" .. owner, performance.owned
  for area, count in pairs(performance.taken_places) do count_places(performance, area, -count, 0) end
  settle(performance)
  redis.call("ZADD", performance.due, expires_at_ms, hold)
  tell(performance, "hold", who_is(owner), hold)
end
reply[#reply + 1] = cmsgpack.pack(ways)
return remember(operation, fingerprint, 86400, reply)
