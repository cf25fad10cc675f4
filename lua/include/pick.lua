-- The best start (0-based offset) for k seats together in a row: first the choice that leaves fewest seats
-- alone, then the nearest to the row's focus, which is fixed by the hall and not by what is free.
-- `is_strict` refuses to leave anyone alone. nil when the row has no such run.
-- INCLUDES
local function pick(row, classes, class, k, focus, is_strict)
  local find, abs = string.find, math.abs
  local foreign = class == "" and "%l" or "[^" .. class .. "]"
  local is_mixed = find(classes, foreign) ~= nil
  local best, best_alone, best_distance
  local from, to = find(row, "o+")
  while from do
    for start = from, to - k + 1 do
      local stranger = is_mixed and find(classes, foreign, start)
      if not stranger or stranger > start + k - 1 then
        local alone = (start - from == 1 and 1 or 0) + (to - start - k == 0 and 1 or 0)
        local distance = abs(start + (k - 1) / 2 - focus)
        if not (is_strict and alone > 0)
          and (not best or alone < best_alone or (alone == best_alone and distance < best_distance)) then
          best, best_alone, best_distance = start - 1, alone, distance
        end
      end
    end
    from, to = find(row, "o+", to + 1)
  end
  return best
end
