-- Collects into `changes` (arguments of one BITFIELD) the index bits of a block that differ between two rows. A block of
-- one class is in that class's slot alone; one of several is in each of theirs, and in "" for what spans them.
-- INCLUDES known runs segment
local function note_flips(flips, first, before, after)
  local band, count, differs = bit.band, #flips, bit.bxor(before, after)
  while differs ~= 0 do
    local lowest = band(differs, -differs)
    differs = differs - lowest
    flips[count + 1], flips[count + 2] = first + PLACE[lowest], band(after, lowest) ~= 0 and 1 or 0
    count = count + 2
  end
end

-- The bits of a class, by their segment's number in its slot, that differ: {number, bit, …}.
local function flips_of(before, ends_before, after, ends_after)
  local flips = {}
  note_flips(flips, 0, before, after)
  note_flips(flips, 2 * LARGEST_INDEXED, ends_before, ends_after)
  return flips
end

-- The same of a row of one class. What differs between two texts never changes, and rows come and go: it is kept.
local REMEMBERED = 1000
local flips_known, remembered = {}, 0

local function flips_alike(before, after)
  local pair = before .. after
  local flips = flips_known[pair]
  if flips then return flips end
  local old, old_ends = runs_alike(before)
  flips = flips_of(old, old_ends, runs_alike(after))
  if remembered == REMEMBERED then flips_known, remembered = {}, 0 end
  flips_known[pair], remembered = flips, remembered + 1
  return flips
end

local function note(changes, performance, block, class, flips)
  local count = #changes
  local first, stride = segment(slot_of(class, performance.categories), 0, 1, performance.blocks)
  for at = 1, #flips, 2 do
    changes[count + 1], changes[count + 2] = "SET", "u1"
    changes[count + 3], changes[count + 4] = first + flips[at] * stride + block, flips[at + 1]
    count = count + 4
  end
end

-- The class of a row of one class, or false.
local only_class = knowing(1000, function(classes)
  local class = string.sub(classes, 1, 1)
  return not string.find(classes, "[^" .. class .. "]") and class
end)

local function reindex(changes, performance, block, classes, before, after)
  local class, place = only_class(classes), 1
  if class then return note(changes, performance, block, class, flips_alike(before, after)) end
  local seen = {[""] = true}
  while place do
    class = string.sub(classes, place, place)
    seen[class] = true
    place = string.find(classes, "[^" .. class .. "]", place + 1)
  end
  for each in pairs(seen) do
    local old, old_ends = runs_of(before, classes, each)
    note(changes, performance, block, each, flips_of(old, old_ends, runs_of(after, classes, each)))
  end
end
