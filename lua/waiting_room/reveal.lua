-- Takes in what another house reveals for a line's draw, with what it signed of that draw and its signature: from when
-- the list is closed until the draw is due. Not in the field `contributed`: into that an earlier release writes two parts
-- for each house, and in one field with these four neither could be read.
--
-- KEYS  cell sale
-- ARGV  epoch line_name house secret bound signature
-- REPLY revealed | untimely | unknown_on_sale | closed | fenced: epoch
-- INCLUDES clock gate of_line drawn
-- FLAGS allow-oom
local cell, sale = unpack(KEYS)
local epoch, line_name, house, secret, bound, signature = unpack(ARGV)

local refusal = gate(cell, epoch)
if refusal then return refusal end
local told = drawn_as_written(sale, line_name)
if not told then return {"unknown_on_sale"} end
if told[3] < 0 or told[6] ~= "" or clock() >= told[4] then return {"untimely"} end

local field = of_line("revealed", line_name)
local known = redis.call("HGET", sale, field)
if string.find(" " .. (known or "") .. " ", " " .. house .. " ", 1, true) then return {"revealed"} end
local revealed = table.concat({house, secret, bound, signature}, " ")
redis.call("HSET", sale, field, known and known .. " " .. revealed or revealed)
return {"revealed"}
