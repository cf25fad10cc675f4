-- The door: so many passes were handed out that the pace has not made up for yet. That empties at the pace and holds a
-- burst at most, so that in any time no more come in than the pace allows and a burst, however often either changes, and
-- whatever a clock does that is set back.
-- `door`: as it was at `door_at_ms`; `burst_ms`: so much of a minute's pace is a burst.
-- INCLUDES
local function door_now(room, now)
  return math.max(0, room.door - math.max(0, now - room.door_at_ms) * room.pace / 60000)
end

-- How long somebody has to wait who wants in now; nothing or less: not at all. Not to be asked where the pace is 0.
local function early_ms(room, now)
  local burst = math.max(1, room.pace * room.burst_ms / 60000)
  return math.ceil((door_now(room, now) + 1 - burst) * 60000 / room.pace)
end

-- Before the pace changes, and where a clock was set back: the door as it stands now, for HSET.
local function door_fields(room, now, more)
  return "door", string.format("%.6f", door_now(room, now) + more), "door_at_ms", now
end
