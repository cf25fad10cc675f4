-- The best start (0-based offset) for k seats together in a row: first the choice that leaves fewest seats
-- alone, then one that does not leave an odd number on both sides (most parties come in pairs, and each side would end
-- with a seat over) unless parties as large fill both, then the nearest to the row's focus, which is fixed by the hall and not by what is free.
-- In each free run the starts are tried from the focus outwards, so the first that leaves nobody alone is its best.
-- `class`: the letters that may be taken, "" any general seat. `is_strict` refuses to leave anyone alone.
-- `free`: the letter of a seat that may be taken, `o` if not said. nil when the row has no such run.
-- INCLUDES
local function foreign_to(class)
  return class == "" and "%l" or "[^" .. class .. "]"
end

local function pick(row, classes, class, k, focus, is_strict, free)
  local find, min, max = string.find, math.min, math.max
  local foreign, run = foreign_to(class), (free or "o") .. "+"
  local is_mixed = find(classes, foreign) ~= nil
  if is_mixed and not find(classes, string.rep(class == "" and "%u" or "[" .. class .. "]", k)) then return nil end
  local best, best_alone, best_distance
  local ideal = focus - (k - 1) / 2
  local from, to = find(row, run)
  while from and not (best_alone == 0 and from - ideal > best_distance) do -- further right is only further away
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
        local before, after = start - from, last - start
        if alone == 0 and before % 2 == 1 and after % 2 == 1 and (before % k > 0 or after % k > 0) then alone = 0.5 end
        if not (is_strict and alone >= 1)
          and (not best or alone < best_alone or (alone == best_alone and distance < best_distance)) then
          best, best_alone, best_distance = start - 1, alone, distance
        end
        if alone == 0 then break end
      end
    end
    from, to = find(row, run, to + 1)
  end
  return best
end

-- The same at an end of the row: `edge` 1 from its first seat on, 2 up to its last.
local function pick_edge(row, classes, class, k, edge, is_strict, free)
  local find, byte = string.find, string.byte
  local start, letter = edge == 1 and 1 or #row - k + 1, byte(free or "o")
  local taken, stranger = find(row, "[^" .. (free or "o") .. "]", start), find(classes, foreign_to(class), start)
  if start < 1 or k > #row or (taken and taken < start + k) or (stranger and stranger < start + k) then return nil end
  local step = edge == 1 and 1 or -1
  local beside = edge == 1 and k + 1 or start - 1
  if is_strict and byte(row, beside) == letter and byte(row, beside + step) ~= letter then return nil end
  return start - 1
end

-- The first open seat (from 1) that has no open neighbour any more and had one; access places and units do not count.
local function newly_alone(before, row, classes)
  local find, byte = string.find, string.byte
  local was, now = "x" .. before .. "x", "x" .. row .. "x"
  local at = find(now, "[^o]o[^o]")
  while at do
    if (byte(was, at) == 111 or byte(was, at + 2) == 111) and find(classes, "^%u", at) then return at - 1 end
    at = find(now, "[^o]o[^o]", at + 1)
  end
  return nil
end
