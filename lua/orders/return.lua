-- Takes back what an order sold, or some of it: its seats and places come back as those of a hold that was let go, held
-- by nobody for the return delay; one outbox entry tells the ledger. The caller has read there, no earlier than at this
-- epoch and when the outbox was recorded up to `recorded_ms`, that these items of the order still stand. A return that the ledger did not
-- know then lies behind that cursor, and is remembered here for longer than a cursor may lag.
--
-- KEYS  cell operation order outbox sale (performance index due)…
-- ARGV  epoch fingerprint recorded_ms hold action payload parts total
-- WHERE parts: packed [[item, …], [item, …], [hold, …]]: which items of the order still stand there, which come back,
--       and for each performance what was sold, as `free_hold` takes it, and behind that the customer's mark, see
--       `bought`; hold: its name now;
--       payload: the order, for whoever asks for it, where it is not remembered here
-- REPLY returned: entry order sequence | already_returned | behind | not_sold | other_payload | unknown_performance
--       | closed | fenced: epoch
-- INCLUDES gate recall step draft_all free_hold settle remember draft history bought aside
-- FLAGS allow-oom
local cell, operation, order, outbox, sale = unpack(KEYS)
local epoch, fingerprint, recorded_ms, hold, action, payload, parts, total = unpack(ARGV)
local REMEMBERED_S, LONGEST_LAG_MS = 86400, 82800000

local refusal = gate(cell, epoch)
if refusal then return refusal end
local answer = recall(operation, fingerprint)
if answer then return answer end
local stored = redis.call("GET", order)
local known = stored and cmsgpack.unpack(stored) or {}
local standing, items, holds = unpack(cmsgpack.unpack(parts))
local returns, gone, is_gone = known[5] or {}, known[6] or {}, {}
for _, item in ipairs(gone) do is_gone[item] = true end
for _, item in ipairs(items) do
  if known[1] == "refunded" or is_gone[item] then return {"already_returned"} end
end
local step = step_of(cell, outbox, epoch)
if step.now - recorded_ms > LONGEST_LAG_MS and redis.call("XLEN", outbox) > 0 then return {"behind"} end
local performances = draft_all(KEYS, 6, step)
if not performances then return {"unknown_performance"} end

for number, performance in ipairs(performances) do
  performance.part = holds[number]
  local seats, areas = performance.part[3], performance.part[4]
  for place = 1, #seats, 3 do
    local row = read_block(performance, seats[place])
    local first, last = seats[place + 1] + 1, seats[place + 1] + seats[place + 2]
    if string.sub(row, first, last) ~= string.rep("s", seats[place + 2]) then return {"not_sold"} end
  end
  for place = 1, #areas, 2 do
    areas[place] = area_of(performance, areas[place])
    local sold = tonumber(redis.call("HGET", performance.key, "t" .. areas[place])) or 0
    if sold < areas[place + 1] then return {"not_sold"} end
  end
end

for _, performance in ipairs(performances) do
  local seats, areas = performance.part[3], performance.part[4]
  for place = 1, #seats, 3 do put(performance, seats[place], seats[place + 1], seats[place + 2], "h") end
  for place = 1, #areas, 2 do
    count_places(performance, areas[place], 0, -areas[place + 1])
  end
  local count = 0
  for place = 3, #seats, 3 do count = count + seats[place] end
  for place = 2, #areas, 2 do count = count + areas[place] end
  note_bought(performance, performance.part[9] or "", -count)
  free_hold(performance, hold, performance.part, "refund")
  settle(performance)
end
local is_whole = true
for _, item in ipairs(items) do gone[#gone + 1], is_gone[item] = item, true end
for _, item in ipairs(standing) do is_whole = is_whole and is_gone[item] end
if is_whole then redis.call("HINCRBY", sale, "orders", -1) end
redis.call("HINCRBY", sale, "takings", -total)
local entry = redis.call("XADD", outbox, "*", "kind", "return", "data", action)
returns[#returns + 1], returns[#returns + 2] = entry, action
redis.call("SET", order, cmsgpack.pack({is_whole and "refunded" or "confirmed", known[2] or entry, known[3] or payload, "",
  returns, gone}), "EX", REMEMBERED_S)
return remember(operation, fingerprint, REMEMBERED_S, {"returned", entry, order, numbered(step)})
