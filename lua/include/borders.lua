-- Windows of time after a line has opened: nobody of one is called before it has ended. `border`: how many had joined by
-- the end of the last one that has; `border_window`: in which, counted from the start, somebody joined since; `borders`:
-- how many have ended with somebody in them. Behind `most` everybody keeps the order of arrival.
-- All in one table: a library has no room for many names.
-- INCLUDES of_line
local by_window = {most = 5000}

function by_window.at(room, line, now)
  return math.floor((now - line.opens_at_ms) / room.fair_window_ms)
end

-- The reply to whoever knows of no end of an index's window: it has ended meanwhile, or is to be waited for.
function by_window.unknown(room, line, index, now)
  if index < line.callable then return {"drawn", line.entrants} end
  return {"not_yet", line.now_serving, room.fair_window_ms - (now - line.opens_at_ms) % room.fair_window_ms}
end

-- How many of a line may be called: all who joined, or all whose window has ended. A window that has ended closes here; so
-- does one that a clock which was set back has led out of.
function by_window.close(room, line, now)
  line.callable = line.joined
  if room.fair_window_ms == 0 or line.mark_at_ms == 0 or line.borders >= by_window.most then return end
  line.border = math.max(line.border, line.entrants)
  if line.joined > line.border and by_window.at(room, line, now) ~= line.border_window then
    line.border, line.borders, line.is_window_ended, room.changed = line.joined, line.borders + 1, true, true
  end
  line.callable = line.border
end

-- For HSET: what is written of a window that has ended. `later`: where those before it have.
function by_window.fields(line, later)
  local name = line.name
  return of_line("later", name), (later and later .. " " or "") .. line.border, of_line("border", name), line.border,
    of_line("borders", name), line.borders
end
