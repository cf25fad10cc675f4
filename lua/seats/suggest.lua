-- Other seats for somebody whose wish was taken: the best still together, in a class and anywhere.
--
-- KEYS  performance index
-- ARGV  class k
-- REPLY suggested: (block offset)… | unknown_performance
-- INCLUDES draft find_best
-- FLAGS no-writes
local performance = draft(KEYS[1], KEYS[2], nil)
if not performance then return {"unknown_performance"} end

local reply = {"suggested"}
for _, class in ipairs({ARGV[1], ""}) do
  local block, offset = find_best(performance, {class = class, k = tonumber(ARGV[2]), level = 0})
  if block and (block ~= reply[2] or offset ~= reply[3]) then
    reply[#reply + 1], reply[#reply + 2] = block, offset
  end
end
return reply
