-- How many are let in a minute: the rate, less what a cell under pressure keeps back of it (`slowed_percent`, see
-- `cell/press`). The rate becomes another by itself as was planned: `rates`, `at_ms rate …`, by time. With more inside
-- than the seats that are open can do with (`crowd`, see `on_sale/crowd`), fewer are called than may come in.
-- INCLUDES door leaps
local function pace_of(room)
  return room.rate * (100 - room.slowed_percent) / 100
end

-- What was planned and has come by now, first things first: when, the rate, and the rest of the plan; or nil.
local function step_due(room, now)
  local at_ms, rate, rest = string.match(room.rates, "^(%d+) (%d+) ?(.*)$")
  if not at_ms or tonumber(at_ms) > now then return nil end
  return tonumber(at_ms), tonumber(rate), rest
end

-- The pace is another from an instant on. The door empties at the old one until then, and the part of a call that had
-- come due is kept.
local function turn_pace(room, at_ms, rate, slowed_percent)
  local before = room.pace
  room.door, room.door_at_ms = door_now(room, at_ms), math.max(room.door_at_ms, at_ms)
  room.rate, room.slowed_percent = rate, slowed_percent
  room.pace = pace_of(room)
  local due_since_ms = room.pace > 0 and math.max(0, at_ms - room.served_at_ms) * before / room.pace or 0
  room.served_at_ms = math.max(room.served_at_ms, at_ms) - due_since_ms
  room.is_held, room.changed, room.is_repaced = 1, true, true
end

local function take_step(room, at_ms, rate, rest)
  room.lowered, room.rates = rate < room.rate and 1 or 0, rest
  turn_pace(room, at_ms, rate, room.slowed_percent)
end

-- How many are called of those who might be: never nobody while a seat is open, as some who are inside have left.
local function slack_of(room, now)
  if now >= room.crowd_until_ms or room.inside <= room.crowd then return 1 end
  room.is_held = 1
  return room.crowd / room.inside
end

-- The word for what makes the wait longer than the house meant it to be; empty where nothing does.
local function why_slower(room, now)
  if room.phase == "paused" then return "paused" end
  if not room.running[1] then return "" end
  if room.draining == 1 then return "draining" end
  if slack_of(room, now) < 1 then return "few-seats" end
  if room.slowed_percent > 0 then return "busy" end
  if room.inside >= room.cap then return "full" end
  if room.lowered == 1 then return "lowered" end
  local called = 0
  for _, line in ipairs(room.running) do
    if (line == room or line.is_served) and leaps.waiting_in(line) > 0 then called = called + 1 end
  end
  return called > 1 and "other-lines" or ""
end
