-- Collects into `changes` (arguments of one BITFIELD) the index bits of a block that differ between two rows. A block of
-- one class is in that class's slot alone; one of several is in each of theirs, and in "" for what spans them.
-- INCLUDES runs segment
local function note(changes, performance, block, class, before, after)
  if before == after then return end
  local first, stride = segment(class, 0, 1, performance.blocks, performance.categories)
  local band, count, differs = bit.band, #changes, bit.bxor(before, after)
  while differs ~= 0 do
    local lowest = band(differs, -differs)
    differs = differs - lowest
    changes[count + 1], changes[count + 2] = "SET", "u1"
    changes[count + 3] = first + PLACE[lowest] * stride + block
    changes[count + 4] = band(after, lowest) ~= 0 and 1 or 0
    count = count + 4
  end
end

local function reindex(changes, performance, block, classes, before, after)
  local class = string.sub(classes, 1, 1)
  local place = string.find(classes, "[^" .. class .. "]")
  if not place then
    note(changes, performance, block, class, runs_alike(before), runs_alike(after))
    return
  end
  local seen = {[class] = true, [""] = true}
  while place do
    class = string.sub(classes, place, place)
    seen[class] = true
    place = string.find(classes, "[^" .. class .. "]", place + 1)
  end
  for each in pairs(seen) do
    note(changes, performance, block, each, runs_of(before, classes, each), runs_of(after, classes, each))
  end
end
