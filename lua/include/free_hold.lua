-- Ends a hold's part in one performance. What it held comes back at once, or, where a return delay is set,
-- stays held by nobody for a random while, so that whoever lets go cannot be first to take it again.
-- A hold is packed as {owner, expires_at_ms, seats {block, offset, count, …}, areas {area, count, …}, extended,
-- returns_to, codes {code, count, …}, latest_ms, former end, said}; for the last two see `leave`. `returns_to`: for each run of seats the letter that it had, empty
-- when all were open; an area of an allotment is its letter and number. Codes are counted in the cell, for all its
-- performances; `latest_ms`: however often it is extended, it ends by then.
-- `verb`: how it ended, for the history; `expire` and `release` count as unpaid. What its owner has is known, and written
-- with the draft, where that is about this owner and no other hold of theirs ends in it: see `draft_all`.
-- INCLUDES draft history aside
local function note_unpaid(performance, owner)
  local field, fields, is_known = "w" .. owner, performance.fields, performance.owner == owner
  local before = is_known and performance.unpaid or not is_known and redis.call("HGET", performance.key, field) or "0"
  local noted = string.match(before, "^%d+") + 1 .. " " .. performance.step.now
  if not is_known then return redis.call("HSET", performance.key, field, noted) end
  fields[#fields + 1], fields[#fields + 2] = field, noted
end

local function keep_for_nobody(performance, hold, seats, areas, returns_to)
  local step = performance.step
  local returns_at_ms = step.now + 1 + (step.microseconds * 7919) % performance.return_ms
  redis.call("HSET", performance.key, "h" .. hold, cmsgpack.pack({"", returns_at_ms, seats, areas, 0, returns_to}))
  redis.call("ZADD", performance.due, returns_at_ms, hold)
end

local function free_hold(performance, hold, record, verb)
  local owner, seats, areas, codes = record[1], record[3], record[4], record[7] or {}
  local step, ended, count = performance.step, {"h" .. hold}, 0
  for place = 3, #seats, 3 do count = count + seats[place] end
  for place = 2, #areas, 2 do count = count + areas[place] end
  if owner ~= "" then
    for place = 1, #codes, 2 do redis.call("HINCRBY", step.cell, "u" .. codes[place], -codes[place + 1]) end
    local field, fields, is_known = "o" .. owner, performance.fields, performance.owner == owner
    local left = is_known and performance.owned - count or redis.call("HINCRBY", performance.key, field, -count)
    if left <= 0 then
      ended[2] = field
    elseif is_known then
      fields[#fields + 1], fields[#fields + 2] = field, left
    end
    if (verb == "expire" or verb == "release") and who_is(owner) == "visitor" then note_unpaid(performance, owner) end
    if performance.return_ms > 0 then
      if ended[2] then redis.call("HDEL", performance.key, ended[2]) end
      keep_for_nobody(performance, hold, seats, areas, record[6] or "")
      tell(performance, verb, verb == "expire" and "clock" or who_is(owner), hold)
      return
    end
  end
  for place = 1, #seats, 3 do
    read_block(performance, seats[place])
    local letter = came_from(performance, record[6], (place + 2) / 3)
    put(performance, seats[place], seats[place + 1], seats[place + 2], letter)
  end
  for place = 1, #areas, 2 do count_places(performance, area_of(performance, areas[place]), areas[place + 1], 0) end
  redis.call("HDEL", performance.key, unpack(ended))
  redis.call("ZREM", performance.due, hold)
  tell(performance, verb, verb == "expire" and "clock" or who_is(owner), hold)
end
