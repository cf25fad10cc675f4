-- Which parties a block can serve, as one bit mask: bit k-1 without leaving a seat alone, bit k+7 at all, for
-- k = 1..8. A free run of length L serves k without stranding iff L = k or L >= k + 2. Stranding looks at
-- the block's whole free run; eligibility at the class: a category's letter, or "" for any general seat
-- (upper case; lower case letters are access places, which no general request takes).
-- Where all seats are eligible, only the runs count (`runs_alike`).
-- INCLUDES
local LARGEST_INDEXED = 8
local POWER, PLACE, RUN = {}, {}, {}
for place = 0, 2 * LARGEST_INDEXED - 1 do
  POWER[place] = 2 ^ place
  PLACE[2 ^ place] = place
end
for length = 0, 255 do
  local mask = 0
  for k = 1, LARGEST_INDEXED do
    if length == k or length >= k + 2 then mask = mask + POWER[k - 1] end
    if length >= k then mask = mask + POWER[k + 7] end
  end
  RUN[length] = mask
end

local function runs_alike(row)
  local find, bor = string.find, bit.bor
  local mask = 0
  local from, to = find(row, "o+")
  while from do
    mask = bor(mask, RUN[to - from + 1])
    from, to = find(row, "o+", to + 1)
  end
  return mask
end

local function runs_of(row, classes, class)
  local find, bor = string.find, bit.bor
  local wanted = class == "" and "%u+" or class .. "+"
  if find(classes, "^" .. wanted .. "$") then return runs_alike(row) end
  local mask = 0
  local from, to = find(row, "o+")
  while from do
    local first, last = find(classes, wanted, from)
    while first and first <= to do
      if last > to then last = to end
      for k = 1, math.min(LARGEST_INDEXED, last - first + 1) do
        mask = bor(mask, POWER[k + 7])
        for start = first, last - k + 1 do
          if start - from ~= 1 and to - (start + k - 1) ~= 1 then mask = bor(mask, POWER[k - 1]) break end
        end
      end
      first, last = find(classes, wanted, last + 1)
    end
    from, to = find(row, "o+", to + 1)
  end
  return mask
end
