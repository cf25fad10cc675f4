-- Where in the index a wish is looked for, see `find_best`: in the slots of its letters, or of any; and at which lengths.
-- INCLUDES runs segment candidates known
local EDGES = {[0] = {false}, {1}, {2}, {1, 2}}

-- Of a general request in a hall of so many categories: all of them.
local every_slot = knowing(100, function(categories)
  local each = {0}
  for number = 1, categories do each[#each + 1] = number end
  return each
end)

-- The slots of the index that hold every block that may serve a class: one a letter, and "" for blocks of several.
local function slots_of(performance, wish, k)
  local class, each = wish.class, {}
  if class == "" then return every_slot(performance.categories) end
  if #class == 1 then return {slot_of(class, performance.categories)} end
  if not string.find(class, "%l") and (not wish.span or wish.span[k]) then each[1] = 0 end
  for letter in string.gmatch(class, "%a") do
    each[#each + 1] = slot_of(letter, performance.categories)
  end
  return each
end

-- At a level, or at an end: of runs there, those as long as the party and, where nobody is left alone, no longer by one.
local function lengths_for(k, edge, is_strict)
  if not edge then return {math.min(k, LARGEST_INDEXED)} end
  local lengths = {}
  for length = math.min(k, LONGEST_END), LONGEST_END do
    if length ~= k + 1 or not is_strict then lengths[#lengths + 1] = length end
  end
  return lengths
end

local function walk(performance, wish, slot, level, length)
  local base = segment(slot, level, length, performance.blocks)
  local spans = slot == 0 and wish.span and wish.span[wish.k]
  return candidates(performance, base, wish.whole or spans or wish.ends and wish.ends[level - 1] or wish.mask)
end
