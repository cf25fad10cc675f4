-- Ends a hold's part in one performance. What it held comes back at once, or, where a return delay is set,
-- stays held by nobody for a random while, so that whoever lets go cannot be first to take it again.
-- A hold is packed as {owner, expires_at_ms, seats {block, offset, count, …}, areas {area, count, …}, extended}.
-- INCLUDES draft
local function free_hold(performance, hold, record, now, microseconds)
  local owner, seats, areas = record[1], record[3], record[4]
  local ended = {"h" .. hold}
  local count = 0
  for place = 3, #seats, 3 do count = count + seats[place] end
  for place = 2, #areas, 2 do count = count + areas[place] end
  if owner ~= "" then
    if redis.call("HINCRBY", performance.key, "o" .. owner, -count) <= 0 then ended[2] = "o" .. owner end
    if performance.return_ms > 0 then
      if ended[2] then redis.call("HDEL", performance.key, ended[2]) end
      local returns_at_ms = now + 1 + (microseconds * 7919) % performance.return_ms
      redis.call("HSET", performance.key, "h" .. hold, cmsgpack.pack({"", returns_at_ms, seats, areas, 0}))
      redis.call("ZADD", performance.due, returns_at_ms, hold)
      return
    end
  end
  for place = 1, #seats, 3 do
    read_block(performance, seats[place])
    put(performance, seats[place], seats[place + 1], seats[place + 2], "o")
  end
  for place = 1, #areas, 2 do
    redis.call("HINCRBY", performance.key, "a" .. areas[place], areas[place + 1])
  end
  redis.call("HDEL", performance.key, unpack(ended))
  redis.call("ZREM", performance.due, hold)
end
