-- How many seats of a performance a customer has bought, where that is limited: counted under a mark that stands for
-- them, empty where it is not. `may_buy` answers how many they have where so many more would be too many.
-- INCLUDES
local function may_buy(performance, mark, most, count)
  if mark == "" then return nil end
  local before = tonumber(redis.call("HGET", performance.key, "p" .. mark)) or 0
  return before + count > most and before or nil
end

local function note_bought(performance, mark, count)
  if mark == "" or count == 0 then return end
  if redis.call("HINCRBY", performance.key, "p" .. mark, count) <= 0 then
    redis.call("HDEL", performance.key, "p" .. mark)
  end
end
