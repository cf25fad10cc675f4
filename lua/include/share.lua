-- The best of an allotment: its blocks as `find_best` takes what is near, in the order of their quality and each nearest
-- to its own focus, behind those that a wish wants to be near; and the largest party that finds room in them.
-- INCLUDES set_aside candidates reach
local function blocks_of(performance, wish)
  local record, near = set_aside(performance, wish.from), wish.near or {}
  for _, block in ipairs(record and record[3] or {}) do
    if is_allowed(wish.mask, block) then near[#near + 1], near[#near + 2] = block, false end
  end
  return near
end

local function largest_share(performance, wish)
  local longest = 0
  for place = 1, #wish.near, 2 do longest = math.max(longest, (reach(performance, wish, wish.near[place]))) end
  return longest
end
