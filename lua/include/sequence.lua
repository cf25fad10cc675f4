-- The house's next sequence number: whoever replays a history does it in this order.
-- INCLUDES
local function sequence(cell)
  return redis.call("HINCRBY", cell, "sequence", 1)
end
