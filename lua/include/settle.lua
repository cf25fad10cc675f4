-- Writes a draft: changed rows, other fields, the open seats and the version with HSET, changed index bits with
-- BITFIELD; more than once where many blocks changed, because Lua unpacks no more than 8,000 arguments. The draft goes on
-- from what is written: a call may settle again.
-- INCLUDES known draft reindex
local UNPACKED_AT_ONCE = 4000 -- whole pairs, and whole groups of four

local function settle(performance)
  local fields, changes = performance.fields, {}
  for _, block in ipairs(performance.touched) do
    local before, row = performance.before[block], performance.rows[block]
    if row ~= before then
      fields[#fields + 1], fields[#fields + 2] = row_field(block), row
      reindex(changes, performance, block, classes_of(performance, block), before, row)
      performance.before[block] = row
    end
  end
  performance.version, performance.fields, performance.touched = performance.version + 1, {}, {}
  local last = #fields
  fields[last + 1], fields[last + 2], fields[last + 3], fields[last + 4] = "v", performance.version, "f", performance.open
  for first = 1, #fields, UNPACKED_AT_ONCE do
    redis.call("HSET", performance.key, unpack(fields, first, math.min(first + UNPACKED_AT_ONCE - 1, #fields)))
  end
  for first = 1, #changes, UNPACKED_AT_ONCE do
    redis.call("BITFIELD", performance.index, unpack(changes, first, math.min(first + UNPACKED_AT_ONCE - 1, #changes)))
  end
end
