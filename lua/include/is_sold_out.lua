-- Whether a performance has nothing to sell any more and nothing that may come back.
-- INCLUDES segment draft set_aside aside
local function may_be_released(performance, letter)
  local record = set_aside(performance, letter)
  if record[2] == 0 then return false end
  for _, block in ipairs(record[3]) do
    if string.find(read_block(performance, block), letter, 1, true) then return true end
  end
  for _, area in ipairs(record[4]) do
    if (tonumber(redis.call("HGET", performance.key, "a" .. letter .. area)) or 0) > 0 then return true end
  end
  return false
end

local function is_sold_out(performance)
  if redis.call("ZCARD", performance.due) > 0 then return false end
  for slot = 1, 2 * performance.categories do
    local base = segment(slot, 1, 1, performance.blocks)
    if redis.call("BITPOS", performance.index, 1, base, base + performance.blocks - 1, "BIT") >= 0 then return false end
  end
  for area = 0, (tonumber(redis.call("HGET", performance.key, "m")) or 0) - 1 do
    if tonumber(redis.call("HGET", performance.key, "a" .. area)) > 0 then return false end
  end
  for letter in string.gmatch(letters_aside(performance), "%u") do
    if may_be_released(performance, letter) then return false end
  end
  return true
end
