-- Calls whom the pace allows until an instant, which is now or when the pace became another. Answers how many.
-- `calling`: how many are called a minute; `is_held`: see `no_shows`.
-- INCLUDES share_out
local function call_until(room, at_ms, free, waiting)
  local due = math.floor((at_ms - room.served_at_ms) * room.calling / 60000)
  if due <= 0 then return 0 end
  local most = math.max(0, math.min(free, waiting))
  if due <= most then
    room.served_at_ms = room.served_at_ms + due * 60000 / room.calling
  else
    -- What could not be used is not saved up: a full house or an empty line earns nobody a burst.
    room.served_at_ms, due, room.is_held = at_ms, most, 1
  end
  share_out(due, room.running)
  room.changed = true
  return due
end
