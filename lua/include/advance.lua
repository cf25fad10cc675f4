-- An on-sale's waiting room at this moment, worked out from what was last written: opens each line when its time has
-- come, then calls as many positions as the pace allows since the last call, never more than the room left under
-- the cap of live passes, never backwards. Writes nothing, so that the public status may ask as well.
-- Answers the public line, with what all lines share, pace and cap; `others`: the other lines, see `lines`.
-- `gone`: positions below it were called at least one turn ago and are no longer kept.
-- INCLUDES lines pace no_shows leaps call_until borders
local TEXTS = 4
local LINE_FIELDS = {"phase", "lines", "rates", "leaps", "prequeue_at_ms", "opens_at_ms", "rate", "cap", "joined",
  "now_serving", "served_at_ms", "entrants", "turn_ms", "mark", "mark_at_ms", "gone", "burst_ms", "pass_ms",
  "slowed_percent", "door", "door_at_ms", "draining", "stopped", "crowd", "crowd_until_ms", "calls", "watched",
  "watched_at_ms", "is_held", "admitted", "lowered", "fair_window_ms", "border", "border_window", "borders"}
local NO_LINES = {}

local function advance(sale, live, now)
  local values = redis.call("HMGET", sale, unpack(LINE_FIELDS))
  if not values[1] then return nil end
  local line = {name = "public", phase = values[1], rates = values[3] or "", leaps = values[4] or nil}
  for place = TEXTS + 1, #LINE_FIELDS do line[LINE_FIELDS[place]] = tonumber(values[place]) or 0 end
  line.others = values[2] and other_lines(sale, line, values[2]) or NO_LINES
  line.pace, line.was_held = pace_of(line), line.is_held

  if line.phase == "scheduled" and now >= line.prequeue_at_ms then
    line.phase, line.changed = "prequeue", true
  end
  if line.phase == "prequeue" and now >= line.opens_at_ms then
    line.phase, line.changed = "open", true
    line.entrants = line.joined
    line.fixed_at_ms = now
    line.mark_at_ms, line.opened_at_ms = line.opens_at_ms, line.opens_at_ms
  end
  line.running = line.others[1] and running_lines(line, now) or line.phase == "open" and {line} or NO_LINES
  by_window.close(line, line, now)
  for _, other in ipairs(line.others) do by_window.close(line, other, now) end

  local waiting, idle_until_ms = 0, math.huge
  for _, each in ipairs(line.running) do
    if each == line or each.is_served then
      if each.leaps and leaps.call(each, 0) then line.changed = true end
      waiting = waiting + leaps.waiting_in(each)
      idle_until_ms = math.min(idle_until_ms, each.opened_at_ms or 0)
    end
  end
  -- Where nobody was served until a moment ago, the pace begins with whoever opened first.
  if idle_until_ms > 0 and idle_until_ms < math.huge then line.served_at_ms = idle_until_ms end
  -- A clock that was set back stops the line for no longer than this call.
  if line.running[1] and line.served_at_ms > now then
    line.served_at_ms, line.changed, line.is_set_back = now, true, true
  end
  line.inside = redis.call("ZCOUNT", live, "(" .. now, "+inf")
  local free = line.cap - line.inside
  repeat
    local at_ms, rate, rest = step_due(line, now)
    line.calling = calling_pace(line, now)
    if line.running[1] then
      local called = call_until(line, at_ms or now, free, waiting)
      free, waiting = free - called, waiting - called
    end
    if at_ms then take_step(line, at_ms, rate, rest) end
  until not at_ms

  for _, each in ipairs(line.running) do
    if now - each.mark_at_ms >= line.turn_ms then
      -- Nobody's turn runs out before a full house, or one that lets nobody in.
      if free > 0 and line.pace > 0 then each.gone, each.mark = each.mark, each.now_serving end
      each.mark_at_ms, line.changed = now, true
    end
  end
  if line.running[1] and line.changed then make_up(line, now) end
  return line
end
