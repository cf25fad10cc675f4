-- Takes in what another house reveals for a line's draw: from when its list is closed until the draw is due.
--
-- KEYS  cell sale
-- ARGV  epoch line_name house secret
-- REPLY revealed | untimely | unknown_on_sale | closed | fenced: epoch
-- INCLUDES clock gate of_line drawn
-- FLAGS allow-oom
local cell, sale = unpack(KEYS)
local epoch, line_name, house, secret = unpack(ARGV)

local refusal = gate(cell, epoch)
if refusal then return refusal end
local told = drawn_as_written(sale, line_name)
if not told then return {"unknown_on_sale"} end
if told[3] < 0 or told[6] ~= "" or clock() >= told[4] then return {"untimely"} end

local field = of_line("contributed", line_name)
local known = redis.call("HGET", sale, field)
if string.find(" " .. (known or "") .. " ", " " .. house .. " ", 1, true) then return {"revealed"} end
redis.call("HSET", sale, field, (known and known .. " " or "") .. house .. " " .. secret)
return {"revealed"}
