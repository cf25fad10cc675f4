-- What somebody could have instead of what was refused: for each item the seats it would get now, without getting them.
--
-- KEYS  performance index
-- ARGV  items
-- WHERE items: packed [["best", class, k, wish], see `find_best` | ["area", area, count], …];
--       runs: packed [block, offset, count, …], empty where there is no such choice; of an area [count]
-- REPLY suggested: (runs)… | unknown_performance
-- INCLUDES draft find_best find_split share
-- FLAGS no-writes
local performance = draft(KEYS[1], KEYS[2], nil)
if not performance then return {"unknown_performance"} end

local function runs_for(item)
  if item[1] == "area" then
    local open = tonumber(redis.call("HGET", performance.key, "a" .. item[2])) or 0
    return open >= item[3] and {item[3]} or {}
  end
  local wish = item[4] or {}
  if wish.from then wish.near = blocks_of(performance, wish) end
  wish.class, wish.k, wish.level = item[2], item[3], (wish.unit or wish.from) and 1 or 0
  local block, offset = find_best(performance, wish)
  if block then return {block, offset, wish.k} end
  return wish.split and find_split(performance, wish, wish.split) or {}
end

local reply = {"suggested"}
for number, item in ipairs(cmsgpack.unpack(ARGV[1])) do reply[number + 1] = cmsgpack.pack(runs_for(item)) end
return reply
