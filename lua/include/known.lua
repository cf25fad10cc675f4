-- What follows from one text or number alone is worked out once and kept for the calls to come, of each kind so many at
-- most: then it is forgotten, and worked out anew. Whoever gets a table must not change it.
-- INCLUDES
local function knowing(most, work)
  local known, count = {}, 0
  return function(asked)
    local found = known[asked]
    if found == nil then
      if count == most then known, count = {}, 0 end
      found, count = work(asked), count + 1
      known[asked] = found
    end
    return found
  end
end

-- Fields of a performance by the number of a block: to write a number takes longer than to look it up. Of rows many are
-- asked for at once: they are looked up where that is done.
local ROW_FIELD = {}

local function row_field(block)
  local field = ROW_FIELD[block]
  if not field then
    field = "b" .. block
    ROW_FIELD[block] = field
  end
  return field
end

local description_field = knowing(20000, function(block) return "c" .. block end)
local number_in = knowing(1000, function(text) return tonumber(text) end)

-- A block's description, "focus classes", in its parts: {focus, classes}.
local parts_in = knowing(1000, function(text)
  local focus, classes = string.match(text, "^(%S+) (%a+)$")
  return {tonumber(focus), classes}
end)
