-- The index of a performance is one bitmap: a segment for each class, level and party size, in the order of the bits
-- in `runs_of`; in a segment one bit a block in quality order.
-- Answers the offset of a segment's first bit, and a segment's length.
-- Classes: "" = blocks of several, then a slot for each category, then one for the access places and units of each.
-- INCLUDES runs
local function segment(class, level, k, blocks, categories)
  local slot = 0
  if class ~= "" then
    local letter = string.byte(class)
    if letter >= 97 then slot = categories + letter - 96 else slot = letter - 64 end
  end
  local stride = blocks + (-blocks) % 8
  return ((slot * LEVELS + level) * LARGEST_INDEXED + math.min(k, LARGEST_INDEXED) - 1) * stride, stride
end
