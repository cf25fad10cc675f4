-- The best start (0-based offset) for k seats together in a row: first the choice that leaves fewest seats
-- alone, then the nearest to the row's focus, which is fixed by the hall and not by what is free.
-- In each free run the starts are tried from the focus outwards, so the first that leaves nobody alone is its best.
-- `is_strict` refuses to leave anyone alone. nil when the row has no such run.
-- INCLUDES
local function pick(row, classes, class, k, focus, is_strict)
  local find, min, max = string.find, math.min, math.max
  local foreign = class == "" and "%l" or "[^" .. class .. "]"
  local is_mixed = find(classes, foreign) ~= nil
  local best, best_alone, best_distance
  local ideal = focus - (k - 1) / 2
  local from, to = find(row, "o+")
  while from do
    local last = to - k + 1
    local left = max(from - 1, min(last, math.floor(ideal)))
    local right = left + 1
    while left >= from or right <= last do
      local start, distance
      if right > last or (left >= from and ideal - left <= right - ideal) then
        start, left, distance = left, left - 1, math.abs(ideal - left)
      else
        start, right, distance = right, right + 1, math.abs(right - ideal)
      end
      local stranger = is_mixed and find(classes, foreign, start)
      if not stranger or stranger > start + k - 1 then
        local alone = (start - from == 1 and 1 or 0) + (to - start - k == 0 and 1 or 0)
        if not (is_strict and alone > 0)
          and (not best or alone < best_alone or (alone == best_alone and distance < best_distance)) then
          best, best_alone, best_distance = start - 1, alone, distance
        end
        if alone == 0 then break end
      end
    end
    from, to = find(row, "o+", to + 1)
  end
  return best
end
