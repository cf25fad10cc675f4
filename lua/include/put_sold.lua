-- Turns one hold's part of a performance into sold seats and places. The index does not change: a held seat
-- was no longer free, and a sold one is not either. Whoever pays has no unpaid holds any more.
-- INCLUDES draft history aside
local function put_sold(performance, hold, record)
  for place = 1, #record[3], 3 do
    read_block(performance, record[3][place])
    put(performance, record[3][place], record[3][place + 1], record[3][place + 2], "s")
  end
  for place = 1, #record[4], 2 do
    count_places(performance, area_of(performance, record[4][place]), 0, record[4][place + 1])
  end
  redis.call("HDEL", performance.key, "h" .. hold, "w" .. record[1])
  redis.call("ZREM", performance.due, hold)
  tell(performance, "confirm", who_is(record[1]), hold)
end

local function write_sold(performance)
  local fields = {"v", performance.version + 1}
  for block, row in pairs(performance.rows) do
    if row ~= performance.before[block] then
      fields[#fields + 1], fields[#fields + 2] = "b" .. block, row
    end
  end
  redis.call("HSET", performance.key, unpack(fields))
end
