-- Window fairness: who joins a line before it opens is drawn among those of the same window of time, and earlier windows
-- come first. `window`: in which the last one came, counted from the start of the pre-queue; `windows`: how many had joined
-- by the end of each before it, where anybody did. The last window ends with the list; those behind it: see `borders`.
-- INCLUDES of_line borders
local function count_window(sale, room, line, now)
  if room.fair_window_ms == 0 then return end
  if line.mark_at_ms > 0 then
    if line.joined == line.border then
      redis.call("HSET", sale, of_line("border_window", line.name), by_window.at(room, line, now))
    end
    return
  end
  local window, windows = of_line("window", line.name), of_line("windows", line.name)
  local known = redis.call("HMGET", sale, window, windows)
  -- A clock that is set back leads into no earlier window, and one that runs on behind a start that is held up into no other.
  local current = math.floor((math.min(now, line.opens_at_ms) - line.prequeue_at_ms) / room.fair_window_ms)
  if current <= (tonumber(known[1]) or -1) then return end
  redis.call("HSET", sale, window, current)
  if line.joined > 0 then redis.call("HSET", sale, windows, (known[2] and known[2] .. " " or "") .. line.joined) end
end
