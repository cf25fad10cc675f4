-- An on-sale's waiting room at this moment, worked out from what was last written: opens each line when its time has
-- come, then calls as many positions as the pace allows since the last call, never more than the room left under
-- the cap of live passes, never backwards. Writes nothing, so that the public status may ask as well.
-- Answers the public line, with what all lines share, pace and cap; `others`: the other lines, see `lines`.
-- `gone`: positions below it were called at least one turn ago and are no longer kept.
-- `pace`: the rate, less what a cell under pressure keeps back of it (`slowed_percent`, see `cell/press`).
-- INCLUDES lines share_out
local LINE_FIELDS = {"phase", "lines", "prequeue_at_ms", "opens_at_ms", "rate", "cap", "joined", "now_serving",
  "served_at_ms", "entrants", "turn_ms", "mark", "mark_at_ms", "gone", "burst_ms", "pass_ms",
  "slowed_percent", "door", "door_at_ms", "draining", "stopped"}
local NO_LINES = {}

local function advance(sale, live, now)
  local values = redis.call("HMGET", sale, unpack(LINE_FIELDS))
  if not values[1] then return nil end
  local line = {name = "public", phase = values[1]}
  for place = 3, #LINE_FIELDS do line[LINE_FIELDS[place]] = tonumber(values[place]) or 0 end
  line.others = values[2] and other_lines(sale, line, values[2]) or NO_LINES
  line.pace = line.rate * (100 - line.slowed_percent) / 100

  if line.phase == "scheduled" and now >= line.prequeue_at_ms then
    line.phase, line.changed = "prequeue", true
  end
  if line.phase == "prequeue" and now >= line.opens_at_ms then
    line.phase, line.changed = "open", true
    line.entrants = line.joined
    line.mark_at_ms, line.opened_at_ms = line.opens_at_ms, line.opens_at_ms
  end
  line.running = line.others[1] and running_lines(line, now) or line.phase == "open" and {line} or NO_LINES
  if not line.running[1] then return line end

  local is_turn_over, waiting, idle_until_ms = false, 0, math.huge
  for _, each in ipairs(line.running) do
    is_turn_over = is_turn_over or now - each.mark_at_ms >= line.turn_ms
    if each == line or each.is_served then
      waiting = waiting + each.joined - each.now_serving
      idle_until_ms = math.min(idle_until_ms, each.opened_at_ms or 0)
    end
  end
  -- Where nobody was served until a moment ago, the pace begins with whoever opened first.
  if idle_until_ms > 0 and idle_until_ms < math.huge then line.served_at_ms = idle_until_ms end
  -- A clock that was set back stops the line for no longer than this call.
  if line.served_at_ms > now then line.served_at_ms, line.changed, line.is_set_back = now, true, true end
  local due = line.draining == 1 and 0 or math.floor((now - line.served_at_ms) * line.pace / 60000)
  if due == 0 and not is_turn_over then return line end

  local free = line.cap - redis.call("ZCOUNT", live, "(" .. now, "+inf")
  if due > 0 then
    local room = math.max(0, math.min(free, waiting))
    if due <= room then
      line.served_at_ms = line.served_at_ms + due * 60000 / line.pace
    else
      -- What could not be used is not saved up: a full house or an empty line earns nobody a burst.
      line.served_at_ms, due = now, room
    end
    share_out(due, line.running)
  end
  for _, each in ipairs(line.running) do
    if now - each.mark_at_ms >= line.turn_ms then
      -- Nobody's turn runs out before a full house, or one that lets nobody in.
      if free > 0 and line.pace > 0 then each.gone, each.mark = each.mark, each.now_serving end
      each.mark_at_ms = now
    end
  end
  line.changed = true
  return line
end
