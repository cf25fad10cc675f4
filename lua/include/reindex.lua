-- Collects into `changes` (arguments of one BITFIELD) the index bits of a block that differ between two rows. A block of
-- one class is in that class's slot alone; one of several is in each of theirs, and in "" for what spans them.
-- INCLUDES runs segment
local function note_bits(changes, first, stride, block, before, after)
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

local function note(changes, performance, block, class, before, ends_before, after, ends_after)
  if before == after and ends_before == ends_after then return end
  local first, stride = segment(class, 0, 1, performance.blocks, performance.categories)
  note_bits(changes, first, stride, block, before, after)
  note_bits(changes, first + 2 * LARGEST_INDEXED * stride, stride, block, ends_before, ends_after)
end

local function reindex(changes, performance, block, classes, before, after)
  local class = string.sub(classes, 1, 1)
  local place = string.find(classes, "[^" .. class .. "]")
  if not place then
    local old, old_ends = runs_alike(before)
    note(changes, performance, block, class, old, old_ends, runs_alike(after))
    return
  end
  local seen = {[class] = true, [""] = true}
  while place do
    class = string.sub(classes, place, place)
    seen[class] = true
    place = string.find(classes, "[^" .. class .. "]", place + 1)
  end
  for each in pairs(seen) do
    local old, old_ends = runs_of(before, classes, each)
    note(changes, performance, block, each, old, old_ends, runs_of(after, classes, each))
  end
end
