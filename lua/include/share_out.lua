-- Calls so many more from the lines, by their shares: what one cannot use is the others', and what of a call was some
-- line's but could not be split is owed to it from then on, so that over time each has its share exactly.
-- INCLUDES leaps
local function share_out(due, lines)
  if not lines[2] then
    leaps.call(lines[1], due)
    return
  end
  local left, share = due, 0
  for _, line in ipairs(lines) do
    line.waiting = line.is_served and leaps.waiting_in(line) or 0
    line.portion, share = nil, share + line.share
  end
  local is_spilling
  repeat
    is_spilling = false
    for _, line in ipairs(lines) do
      if not line.portion and left * line.share >= line.waiting * share then
        line.portion, left, share, is_spilling = line.waiting, left - line.waiting, share - line.share, true
      end
    end
  until not is_spilling

  local rest = due
  for _, line in ipairs(lines) do
    line.owed = line.owed + (line.portion or left * line.share / share)
    line.called = math.min(line.waiting, math.max(0, math.floor(line.owed)))
    rest = rest - line.called
  end
  local step = rest > 0 and 1 or -1
  while rest ~= 0 do
    local next_line
    for _, line in ipairs(lines) do
      local is_able = step == 1 and line.called < line.waiting or step == -1 and line.called > 0
      if is_able and (not next_line or step * (line.owed - line.called - next_line.owed + next_line.called) > 0) then
        next_line = line
      end
    end
    next_line.called, rest = next_line.called + step, rest - step
  end
  for _, line in ipairs(lines) do
    leaps.call(line, line.called)
    line.owed = line.owed - line.called
  end
end
