-- The state of every seat at one version: all rows in quality order as one string, and each area's
-- open and sold places, and those that are set aside.
--
-- KEYS  performance
-- ARGV  areas
-- REPLY seats: version rows (open sold aside)… | unknown_performance
-- INCLUDES
-- FLAGS no-writes
local key, areas = KEYS[1], tonumber(ARGV[1])

local head = redis.call("HMGET", key, "v", "n", "l")
if not head[1] then return {"unknown_performance"} end
local rows, blocks = {}, tonumber(head[2])
for first = 0, blocks - 1, 1000 do
  local names = {}
  for block = first, math.min(first + 999, blocks - 1) do names[#names + 1] = "b" .. block end
  rows[#rows + 1] = table.concat(redis.call("HMGET", key, unpack(names)))
end
local reply = {"seats", tonumber(head[1]), table.concat(rows)}
for area = 0, areas - 1 do
  local counts = redis.call("HMGET", key, "a" .. area, "t" .. area)
  local open, sold, aside = tonumber(counts[1]) or 0, tonumber(counts[2]) or 0, 0
  for letter in string.gmatch(head[3] or "", "%u") do
    counts = redis.call("HMGET", key, "a" .. letter .. area, "t" .. letter .. area)
    aside, sold = aside + (tonumber(counts[1]) or 0), sold + (tonumber(counts[2]) or 0)
  end
  reply[#reply + 1], reply[#reply + 2], reply[#reply + 3] = open, sold, aside
end
return reply
