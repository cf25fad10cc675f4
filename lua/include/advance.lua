-- The line at this moment, worked out from what was last written: opens the on-sale when its time has come,
-- then calls as many positions as the pace allows since the last call, never more than the room left under
-- the cap of live passes, never backwards. Writes nothing, so that the public status may ask as well.
-- `gone`: positions below it were called at least one turn ago and are no longer kept.
-- `pace`: the rate, less what a cell under pressure keeps back of it (`slowed_percent`, see `cell/press`).
-- INCLUDES
local LINE_FIELDS = {"phase", "prequeue_at_ms", "opens_at_ms", "rate", "cap", "joined", "now_serving",
  "served_at_ms", "entrants", "turn_ms", "mark", "mark_at_ms", "gone", "burst_ms", "pass_ms", "slowed_percent",
  "door", "door_at_ms", "draining", "stopped"}

local function advance(sale, live, now)
  local values = redis.call("HMGET", sale, unpack(LINE_FIELDS))
  if not values[1] then return nil end
  local line = {phase = values[1]}
  for place = 2, #LINE_FIELDS do line[LINE_FIELDS[place]] = tonumber(values[place]) or 0 end
  line.pace = line.rate * (100 - line.slowed_percent) / 100

  if line.phase == "scheduled" and now >= line.prequeue_at_ms then
    line.phase, line.changed = "prequeue", true
  end
  if line.phase == "prequeue" and now >= line.opens_at_ms then
    line.phase, line.changed = "open", true
    line.entrants = line.joined
    line.served_at_ms, line.mark_at_ms = line.opens_at_ms, line.opens_at_ms
  end
  if line.phase ~= "open" then return line end

  -- A clock that was set back stops the line for no longer than this call.
  if line.served_at_ms > now then line.served_at_ms, line.changed, line.is_set_back = now, true, true end
  local due = line.draining == 1 and 0 or math.floor((now - line.served_at_ms) * line.pace / 60000)
  local is_turn_over = now - line.mark_at_ms >= line.turn_ms
  if due == 0 and not is_turn_over then return line end

  local free = line.cap - redis.call("ZCOUNT", live, "(" .. now, "+inf")
  if due > 0 then
    local room = math.max(0, math.min(free, line.joined - line.now_serving))
    if due <= room then
      line.served_at_ms = line.served_at_ms + due * 60000 / line.pace
      line.now_serving = line.now_serving + due
    else
      -- What could not be used is not saved up: a full house or an empty line earns nobody a burst.
      line.served_at_ms = now
      line.now_serving = line.now_serving + room
    end
  end
  if is_turn_over then
    -- Nobody's turn runs out before a full house, or one that lets nobody in.
    if free > 0 and line.pace > 0 then line.gone, line.mark = line.mark, line.now_serving end
    line.mark_at_ms = now
  end
  line.changed = true
  return line
end
