-- Writes a draft: changed rows, other fields and the version in one HSET, changed index bits in one BITFIELD.
-- INCLUDES draft reindex
local function settle(performance)
  local fields, changes = performance.fields, {}
  for block, row in pairs(performance.rows) do
    local before = performance.before[block]
    if row ~= before then
      fields[#fields + 1], fields[#fields + 2] = "b" .. block, row
      reindex(changes, performance, block, classes_of(performance, block), before, row)
    end
  end
  fields[#fields + 1], fields[#fields + 2] = "v", performance.version + 1
  redis.call("HSET", performance.key, unpack(fields))
  if #changes > 0 then redis.call("BITFIELD", performance.index, unpack(changes)) end
end
