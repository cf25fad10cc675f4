-- The index of a performance is one bitmap: a segment for each class, level and party size, then for each end and length
-- of the run there, in the order of the bits in `runs_of`; in a segment one bit a block in quality order.
-- Levels: 0, 1, and for the ends 2 left, 3 right.
-- Classes: "" = blocks of several, then a slot for each category, then one for the access places and units of each.
-- INCLUDES runs
local FIRST = {[0] = -1, LARGEST_INDEXED - 1, 2 * LARGEST_INDEXED - 1, 2 * LARGEST_INDEXED + LONGEST_END - 1}
local A_CLASS = 2 * (LARGEST_INDEXED + LONGEST_END)

local function slot_of(class, categories)
  if class == "" then return 0 end
  local letter = string.byte(class)
  return letter >= 97 and categories + letter - 96 or letter - 64
end

-- Answers the offset of a segment's first bit, and a segment's length.
local function segment(slot, level, k, blocks)
  local stride = blocks + (-blocks) % 8
  return (slot * A_CLASS + FIRST[level] + k) * stride, stride
end
