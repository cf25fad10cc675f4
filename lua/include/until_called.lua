-- How long until a position is called, as fast as its line is called now: by its share of the pace among the lines in which
-- somebody waits. 0 where nobody can say. `calling`: see `no_shows`.
-- INCLUDES leaps
local function until_called(room, line, position)
  local share, shares = 0, 0
  for _, each in ipairs(room.running) do
    if each == room or each.is_served then
      local portion = room.others[1] and each.share or 100
      if each == line then share = portion end
      if each == line or leaps.waiting_in(each) > 0 then shares = shares + portion end
    end
  end
  if share == 0 or room.calling == 0 then return 0 end
  local ahead = leaps.persons_before(line, position + 1) - leaps.persons_before(line, line.now_serving)
  return math.ceil(ahead * 60000 * shares / share / room.calling)
end
