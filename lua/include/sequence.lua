-- The house's next sequence number: whoever replays a history does it in this order.
-- INCLUDES gate
local function sequence(cell)
  local number = redis.call("HINCRBY", cell, "sequence", 1)
  seen_sequences[cell] = number
  return number
end
