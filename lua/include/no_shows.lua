-- Who is called and stays away is made up for: `calls` are called for each who may come in, from 1 up to `MOST_CALLS`.
-- What comes in is watched for as long as a hundred take at the pace: as it fell short, more are called, a fifth more at a
-- time; where the door has as many as it lets in, fewer are again, and soon where it is crowded. The door and the cap are
-- what nobody gets past (`waiting_room/admit`): who finds them shut keeps the turn.
-- `watched`, `watched_at_ms`: how many had come in when the watch began. `is_held`: the cap or an empty line held calls up
-- meanwhile, which says nothing of who stays away.
-- INCLUDES door pace
local WATCH_MS, WATCHED, MOST_CALLS = 15000, 100, 3
local ENOUGH, CROWDED = 0.98, 0.8

local function calls_of(room)
  return math.max(1, math.min(MOST_CALLS, room.calls))
end

-- How many are called a minute.
local function calling_pace(room, now)
  return room.draining == 1 and 0 or room.pace * calls_of(room) * slack_of(room, now)
end

local function watch_anew(room, now)
  room.watched, room.watched_at_ms, room.is_held, room.is_watched_anew = room.admitted, now, 0, true
end

local function make_up(room, now)
  local watch_ms = math.max(WATCH_MS, WATCHED * 60000 / room.pace)
  local elapsed_ms = now - room.watched_at_ms
  if elapsed_ms >= 0 and elapsed_ms < watch_ms then return end
  if elapsed_ms >= 0 and elapsed_ms < 2 * watch_ms and room.is_held == 0 then
    local due = room.pace * elapsed_ms / 60000
    local came = math.max(1, room.admitted - room.watched)
    local burst = room.pace * room.burst_ms / 60000
    if burst >= 4 and door_now(room, now) > CROWDED * burst then
      room.calls = 1 + (calls_of(room) - 1) * 0.7
    elseif came < ENOUGH * due then
      room.calls = math.min(MOST_CALLS, calls_of(room) * math.min(1.2, due / came))
    else
      room.calls = 1 + (calls_of(room) - 1) * 0.95
    end
  end
  -- Where nobody came in for long there was nothing to be seen.
  if elapsed_ms < 2 * watch_ms or room.admitted > room.watched then watch_anew(room, now) end
end
