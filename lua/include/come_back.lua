-- What comes back of an order that was sold. Its items are counted from 0; an order remembers which of them came back,
-- {state, entry, payload, "", returns {entry, action, …}, gone {item, …}}, for longer than a ledger's cursor may lag.
-- `part`: what of a performance comes back, as `free_hold` takes it, and behind that the customer's mark, see `bought`.
-- INCLUDES draft aside history bought free_hold
local REMEMBERED_S, LONGEST_LAG_MS = 86400, 82800000

local function read_returns(order)
  local stored = redis.call("GET", order)
  local known = stored and cmsgpack.unpack(stored) or {}
  local found = {state = known[1], entry = known[2], payload = known[3], returns = known[5] or {}, gone = known[6] or {}}
  found.is_gone = {}
  for _, item in ipairs(found.gone) do found.is_gone[item] = true end
  return found
end

local function is_returned(found, items)
  if found.state == "refunded" then return true end -- a release before remembered no items of it
  for _, item in ipairs(items) do
    if found.is_gone[item] then return true end
  end
  return false
end

-- A return that the ledger did not know, when the outbox was recorded up to `recorded_ms`, would be forgotten here.
local function is_behind(step, recorded_ms)
  return step.now - recorded_ms > LONGEST_LAG_MS and redis.call("XLEN", step.outbox) > 0
end

local function is_sold(performance, part)
  local seats, areas = part[3], part[4]
  for place = 1, #seats, 3 do
    local row = read_block(performance, seats[place])
    local first, last = seats[place + 1] + 1, seats[place + 1] + seats[place + 2]
    if string.sub(row, first, last) ~= string.rep("s", seats[place + 2]) then return false end
  end
  for place = 1, #areas, 2 do
    areas[place] = area_of(performance, areas[place])
    local sold = tonumber(redis.call("HGET", performance.key, "t" .. areas[place])) or 0
    if sold < areas[place + 1] then return false end
  end
  return true
end

local function take_back(performance, part, hold, verb)
  local seats, areas, count = part[3], part[4], 0
  for place = 1, #seats, 3 do
    put(performance, seats[place], seats[place + 1], seats[place + 2], "h")
    count = count + seats[place + 2]
  end
  for place = 1, #areas, 2 do
    count_places(performance, areas[place], 0, -areas[place + 1])
    count = count + areas[place + 1]
  end
  note_bought(performance, part[9] or "", -count)
  free_hold(performance, hold, part, verb)
end

-- `standing`: which of its items stood before; `state`: what it is when none is left.
local function write_returns(order, sale, found, standing, items, total, payload, entry, action, state)
  local is_whole, returns, gone = true, found.returns, found.gone
  for _, item in ipairs(items) do gone[#gone + 1], found.is_gone[item] = item, true end
  for _, item in ipairs(standing) do is_whole = is_whole and found.is_gone[item] end
  if is_whole then redis.call("HINCRBY", sale, "orders", -1) end
  redis.call("HINCRBY", sale, "takings", -total)
  returns[#returns + 1], returns[#returns + 2] = entry, action
  redis.call("SET", order, cmsgpack.pack({is_whole and state or "confirmed", found.entry or entry,
    found.payload or payload, "", returns, gone}), "EX", REMEMBERED_S)
end
