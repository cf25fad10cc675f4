-- Whether a performance has nothing to sell any more and nothing that may come back.
-- INCLUDES segment
local function is_sold_out(performance)
  if redis.call("ZCARD", performance.due) > 0 then return false end
  for slot = 1, 2 * performance.categories do
    local class = string.char(slot <= performance.categories and 64 + slot or 96 + slot - performance.categories)
    local base = segment(class, 1, 1, performance.blocks, performance.categories)
    if redis.call("BITPOS", performance.index, 1, base, base + performance.blocks - 1, "BIT") >= 0 then return false end
  end
  for area = 0, (tonumber(redis.call("HGET", performance.key, "m")) or 0) - 1 do
    if tonumber(redis.call("HGET", performance.key, "a" .. area)) > 0 then return false end
  end
  return true
end
