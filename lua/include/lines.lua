-- The lines of an on-sale beside the public one, each with a window and a share of its own. The phase of the on-sale is
-- the public line's; paused, sold out and closed are for all of them.
-- `mark_at_ms`: 0 until the line has opened. `share`: in per cent; what the others leave is the public line's.
-- INCLUDES of_line
local OTHER_FIELDS = {"share", "prequeue_at_ms", "opens_at_ms", "closes_at_ms", "joined", "now_serving", "entrants",
  "mark", "mark_at_ms", "gone", "owed", "border", "border_window", "borders", "leaps"}

local function other_lines(sale, room, names)
  local others = {}
  room.owed = tonumber(redis.call("HGET", sale, "owed")) or 0
  for name in string.gmatch(names, "%S+") do
    local line, fields = {name = name}, {}
    for place, field in ipairs(OTHER_FIELDS) do fields[place] = of_line(field, name) end
    local values = redis.call("HMGET", sale, unpack(fields))
    for place, field in ipairs(OTHER_FIELDS) do line[field] = tonumber(values[place]) or 0 end
    line.leaps = values[#values] or nil
    others[#others + 1] = line
  end
  return others
end

-- Of one line: `over` when its window has ended; who was called keeps the turn. What is paused before it has opened, is
-- not open yet.
local function phase_of(room, line, now)
  local phase = room.phase
  if phase == "sold_out" or phase == "closed" or (line == room and phase ~= "paused") then return phase end
  if line.mark_at_ms == 0 then return now < line.prequeue_at_ms and "scheduled" or "prequeue" end
  if line ~= room and line.closes_at_ms > 0 and now >= line.closes_at_ms then return "over" end
  return phase == "paused" and "paused" or "open"
end

-- Opens each line whose time has come. Answers those whose turns run now; `is_served`: who joined may be called.
local function running_lines(room, now)
  local running, share = {}, 100
  for _, line in ipairs(room.others) do
    if line.mark_at_ms == 0 and now >= line.opens_at_ms and room.phase ~= "sold_out" and room.phase ~= "closed" then
      line.entrants, line.mark_at_ms, line.opened_at_ms = line.joined, line.opens_at_ms, line.opens_at_ms
      line.fixed_at_ms, room.changed = now, true
    end
    local phase = phase_of(room, line, now)
    line.is_served = phase == "open"
    if line.is_served or (phase == "over" and room.phase ~= "paused") then running[#running + 1] = line end
    share = share - line.share
  end
  if room.phase == "open" then
    room.is_served, room.share = true, share
    running[#running + 1] = room
  end
  return running
end

local function line_of(room, name)
  if name == room.name then return room end
  for _, line in ipairs(room.others) do
    if line.name == name then return line end
  end
  return nil
end

-- What is written of the public line, of every other that has opened: put behind `fields`, name and value.
local function for_others(room, fields, changed)
  for _, other in ipairs(room.others) do
    for at = 1, other.mark_at_ms > 0 and #changed or 0, 2 do
      fields[#fields + 1], fields[#fields + 2] = of_line(changed[at], other.name), changed[at + 1]
    end
  end
end
