-- What the index says of a block, as two bit masks. The first: which parties it can serve, eight bits a level, one for
-- each size k = 1..8: level 0 without leaving a seat alone, 1 at all. The second: how long the run is that ends at its
-- left end, one bit of ten (ten: or more), then at its right end.
-- A free run of length L serves k without stranding iff L = k or L >= k + 2. Stranding looks at the block's whole free
-- run; eligibility at the class: a category's letter, or "" for any general seat (upper case; lower case letters are
-- access places and other units, which no general request takes). So where a run at an end goes on with free seats that
-- are not eligible, it may serve one less as well: it counts as both lengths.
-- Where all seats are eligible, only the runs count (`runs_alike`).
-- INCLUDES
local LARGEST_INDEXED, LONGEST_END = 8, 10
local POWER, PLACE, RUN = {}, {}, {}
for place = 0, 2 * LONGEST_END - 1 do POWER[place], PLACE[2 ^ place] = 2 ^ place, place end
for length = 0, LONGEST_END do
  local run = 0
  for k = 1, length < LARGEST_INDEXED and length or LARGEST_INDEXED do -- while it loads there is no `math`
    if length == k or length >= k + 2 then run = run + POWER[k - 1] end
    run = run + POWER[k + 7]
  end
  RUN[length] = run
end

local function end_bits(eligible, free, first)
  if eligible == 0 then return 0 end
  local length = math.min(eligible, LONGEST_END)
  return POWER[first + length - 1] + (free > eligible and length > 1 and POWER[first + length - 2] or 0)
end

local function runs_alike(row)
  local find, bor, min = string.find, bit.bor, math.min
  local mask, ends = 0, 0
  local from, to = find(row, "o+")
  if from == 1 then ends = POWER[min(to, LONGEST_END) - 1] end
  while from do
    mask = bor(mask, RUN[min(to - from + 1, LONGEST_END)])
    if to == #row then return mask, ends + POWER[LONGEST_END + min(to - from + 1, LONGEST_END) - 1] end
    from, to = find(row, "o+", to + 1)
  end
  return mask, ends
end

local function runs_of(row, classes, class)
  local find, bor = string.find, bit.bor
  local wanted = class == "" and "%u+" or class .. "+"
  if find(classes, "^" .. wanted .. "$") then return runs_alike(row) end
  local mask, ends = 0, 0
  local from, to = find(row, "o+")
  while from do
    local first, last = find(classes, wanted, from)
    while first and first <= to do
      if last > to then last = to end
      if first == 1 then ends = ends + end_bits(last, to, 0) end
      if last == #row then ends = ends + end_bits(last - first + 1, to - from + 1, LONGEST_END) end
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
  return mask, ends
end
