-- Calls whom the pace allows until an instant, which is now or when the pace became another. Answers how many.
-- `calling`: how many are called a minute; `is_held`: see `no_shows`.
-- INCLUDES share_out
local LATE_MS = 5000

local function call_until(room, at_ms, free, waiting)
  -- Where nobody saw to the line for long, as its Redis was away, nobody could come in either: the door would not make way
  -- in time for all who would be called at once. So it is for as many as it can within half a turn, and two at least.
  local since_ms, call_ms = at_ms - room.served_at_ms, 60000 / room.calling
  local counted_ms = math.min(since_ms, math.max(room.turn_ms / 2, 2 * call_ms))
  if since_ms > LATE_MS + call_ms then room.is_held = 1 end
  local due = math.floor(counted_ms * room.calling / 60000)
  if due <= 0 then return 0 end
  local most = math.max(0, math.min(free, waiting))
  if due <= most and counted_ms == since_ms then
    room.served_at_ms = room.served_at_ms + due * 60000 / room.calling
  else
    -- What could not be used is not saved up: a full house or an empty line earns nobody a burst.
    room.served_at_ms, due, room.is_held = at_ms, math.min(due, most), 1
  end
  share_out(due, room.running)
  room.changed = true
  return due
end
