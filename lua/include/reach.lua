-- What a part of a party, see `find_split`, may take of a row.
-- INCLUDES draft candidates

-- How long the two longest runs of a row are that a part may take.
local function reach(performance, wish, block)
  local row, classes = performance.rows[block], classes_of(performance, block)
  local find, free, edge = string.find, (wish.from or "o") .. "+", wish.edge
  local wanted = wish.class == "" and "%u+" or "[" .. wish.class .. "]+"
  local longest, second, left, right = 0, 0, edge ~= 2, edge ~= 1
  if wish.ends then left, right = is_allowed(wish.ends[1], block), is_allowed(wish.ends[2], block) end
  local from, to = find(row, free)
  while from do
    local first, last = find(classes, wanted, from)
    while first and first <= to do
      last = math.min(last, to)
      if not edge or (first == 1 and left) or (last == #row and right) then
        second = math.max(second, math.min(longest, last - first + 1))
        longest = math.max(longest, last - first + 1)
      end
      first, last = find(classes, wanted, last + 1)
    end
    from, to = find(row, free, to + 1)
  end
  return longest, second
end
