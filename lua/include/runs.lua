-- Which parties a block can serve, as one bit mask of eight bits a level, one for each party size k = 1..8:
-- level 0 without leaving a seat alone, 1 at all, 2 from its left end on, 3 up to its right end.
-- A free run of length L serves k without stranding iff L = k or L >= k + 2. Stranding looks at
-- the block's whole free run; eligibility at the class: a category's letter, or "" for any general seat
-- (upper case; lower case letters are access places and other units, which no general request takes).
-- Where all seats are eligible, only the runs count (`runs_alike`).
-- INCLUDES
local LARGEST_INDEXED, LEVELS = 8, 4
local POWER, PLACE, RUN, LEFT, RIGHT = {}, {}, {}, {}, {}
for place = 0, LEVELS * LARGEST_INDEXED - 1 do
  POWER[place] = 2 ^ place
  -- As the functions of `bit` say it: of 32 bits, the highest is the sign.
  PLACE[place == 31 and -2 ^ 31 or 2 ^ place] = place
end
for length = 0, 255 do
  local run, left, right = 0, 0, 0
  for k = 1, length < LARGEST_INDEXED and length or LARGEST_INDEXED do -- while it loads there is no `math`
    if length == k or length >= k + 2 then run = run + POWER[k - 1] end
    run, left, right = run + POWER[k + 7], left + POWER[k + 15], right + POWER[k + 23]
  end
  RUN[length], LEFT[length], RIGHT[length] = run, left, right
end

local function runs_alike(row)
  local find, bor = string.find, bit.bor
  local from, to = find(row, "o+")
  local mask = from == 1 and LEFT[to] or 0
  while from do
    mask = bor(mask, RUN[to - from + 1])
    if to == #row then return bor(mask, RIGHT[to - from + 1]) end
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
      if first == 1 then mask = bor(mask, LEFT[last]) end
      if last == #row then mask = bor(mask, RIGHT[last - first + 1]) end
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
