-- The best of an allotment: its blocks as `find_best` takes what is near, in the order of their quality and each nearest
-- to its own focus; and the longest run that is left of it.
-- INCLUDES draft aside
local function blocks_of(performance, letter)
  local record, near = set_aside(performance, letter), {}
  for _, block in ipairs(record and record[3] or {}) do near[#near + 1], near[#near + 2] = block, false end
  return near
end

local function longest_of(performance, letter)
  local record, longest = set_aside(performance, letter), 0
  for _, block in ipairs(record and record[3] or {}) do
    for run in string.gmatch(read_block(performance, block), letter .. "+") do longest = math.max(longest, #run) end
  end
  return longest
end
