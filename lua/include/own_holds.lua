-- Takes apart, in a draft, what an order's own holds still keep of a performance, for its owner or for nobody until it
-- returns: seats as open, places in `places`, what codes they had counted out of `uses`. Answers how much its owner had.
-- INCLUDES draft aside
local function own_holds(performance, holds, owner, places, uses)
  local owned = 0
  performance.ended = {}
  for _, hold in ipairs(holds) do
    local stored = redis.call("HGET", performance.key, "h" .. hold)
    local record = stored and cmsgpack.unpack(stored)
    if record and (record[1] == owner or record[1] == "") then
      local seats, areas, codes, had = record[3], record[4], record[7] or {}, 0
      performance.ended[#performance.ended + 1] = hold
      for at = 1, #seats, 3 do
        read_block(performance, seats[at])
        put(performance, seats[at], seats[at + 1], seats[at + 2], "o")
        had = had + seats[at + 2]
      end
      for at = 1, #areas, 2 do
        local area = area_of(performance, areas[at])
        places[area] = (places[area] or 0) + areas[at + 1]
        had = had + areas[at + 1]
      end
      if record[1] == owner then
        owned = owned + had
        for at = 1, #codes, 2 do uses[codes[at]] = (uses[codes[at]] or 0) - codes[at + 1] end
      end
    end
  end
  return owned
end

local function end_own_holds(performance)
  for _, hold in ipairs(performance.ended) do
    redis.call("HDEL", performance.key, "h" .. hold)
    redis.call("ZREM", performance.due, hold)
  end
end
