-- The line at this moment, worked out from what was last written: opens the on-sale when its time has come,
-- then calls as many positions as the rate allows since the last call, never more than the room left under
-- the cap of live passes, never backwards. Writes nothing, so that the public status may ask as well.
-- `gone`: positions below it were called at least one turn ago and are no longer kept.
-- INCLUDES
local LINE_FIELDS = {"phase", "prequeue_at_ms", "opens_at_ms", "rate", "cap", "joined", "now_serving",
  "served_at_ms", "entrants", "turn_ms", "mark", "mark_at_ms", "gone"}

local function advance(sale, live, now)
  local values = redis.call("HMGET", sale, unpack(LINE_FIELDS))
  if not values[1] then return nil end
  local line = {phase = values[1]}
  for place = 2, #LINE_FIELDS do line[LINE_FIELDS[place]] = tonumber(values[place]) or 0 end

  if line.phase == "scheduled" and now >= line.prequeue_at_ms then
    line.phase, line.changed = "prequeue", true
  end
  if line.phase == "prequeue" and now >= line.opens_at_ms then
    line.phase, line.changed = "open", true
    line.entrants = line.joined
    line.served_at_ms, line.mark_at_ms = line.opens_at_ms, line.opens_at_ms
  end
  if line.phase ~= "open" then return line end

  local due = math.floor((now - line.served_at_ms) * line.rate / 60000)
  if due > 0 then
    local room = line.cap - redis.call("ZCOUNT", live, "(" .. now, "+inf")
    room = math.max(0, math.min(room, line.joined - line.now_serving))
    if due <= room then
      line.served_at_ms = line.served_at_ms + due * 60000 / line.rate
      line.now_serving = line.now_serving + due
    else
      -- What could not be used is not saved up: a full house or an empty line earns nobody a burst.
      line.served_at_ms = now
      line.now_serving = line.now_serving + room
    end
    line.changed = true
  end
  if now - line.mark_at_ms >= line.turn_ms then
    line.gone, line.mark, line.mark_at_ms = line.mark, line.now_serving, now
    line.changed = true
  end
  return line
end
