-- Which parties a block can serve, as two bit masks over k = 1..8 (bit k-1): without leaving a seat alone,
-- and at all. A free run of length L serves k without stranding iff L = k or L >= k + 2. Stranding looks at
-- the block's whole free run; eligibility at the class: a category's letter, or "" for any general seat
-- (upper case; lower case letters are access places, which no general request takes).
-- INCLUDES
local LARGEST_INDEXED = 8
local CLEAN, AT_ALL, POWER = {}, {}, {}
for length = 0, 255 do
  local clean, at_all, power = 0, 0, 1
  for k = 1, LARGEST_INDEXED do
    POWER[k] = power
    if length >= k then at_all = at_all + power end
    if length == k or length >= k + 2 then clean = clean + power end
    power = power * 2
  end
  CLEAN[length], AT_ALL[length] = clean, at_all
end

local function runs_of(row, classes, class)
  local find, bor = string.find, bit.bor
  local clean, at_all = 0, 0
  local wanted = class == "" and "%u+" or class .. "+"
  local is_uniform = find(classes, "^" .. wanted .. "$") ~= nil
  local from, to = find(row, "o+")
  while from do
    if is_uniform then
      clean = bor(clean, CLEAN[to - from + 1])
      at_all = bor(at_all, AT_ALL[to - from + 1])
    else
      local first, last = find(classes, wanted, from)
      while first and first <= to do
        if last > to then last = to end
        at_all = bor(at_all, AT_ALL[last - first + 1])
        for k = 1, math.min(LARGEST_INDEXED, last - first + 1) do
          for start = first, last - k + 1 do
            if start - from ~= 1 and to - (start + k - 1) ~= 1 then clean = bor(clean, POWER[k]) break end
          end
        end
        first, last = find(classes, wanted, last + 1)
      end
    end
    from, to = find(row, "o+", to + 1)
  end
  return clean, at_all
end
