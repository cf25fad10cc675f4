-- Collects into `changes` (arguments of one BITFIELD) the index bits of a block that differ between two rows.
-- INCLUDES runs segment
local function reindex(changes, performance, block, classes, before, after)
  local bxor, band = bit.bxor, bit.band
  local seen = {}
  local function compare(class)
    seen[class] = true
    local old_clean, old_at_all = runs_of(before, classes, class)
    local new_clean, new_at_all = runs_of(after, classes, class)
    for level = 0, 1 do
      local value = level == 0 and new_clean or new_at_all
      local differs = bxor(level == 0 and old_clean or old_at_all, value)
      if differs ~= 0 then
        for k = 1, LARGEST_INDEXED do
          if band(differs, POWER[k]) ~= 0 then
            local count = #changes
            changes[count + 1], changes[count + 2] = "SET", "u1"
            changes[count + 3] = segment(class, level, k, performance.blocks, performance.categories) + block
            changes[count + 4] = band(value, POWER[k]) ~= 0 and 1 or 0
          end
        end
      end
    end
  end
  local place = 1
  while place do
    local class = string.sub(classes, place, place)
    if not seen[class] then
      compare(class)
      if not seen[""] and string.find(class, "%u") then compare("") end
    end
    place = string.find(classes, "[^" .. class .. "]", place + 1)
  end
end
