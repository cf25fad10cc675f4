-- Writes a draw that is due, once: everybody works out the same, and whoever comes second is told what stands.
--
-- KEYS  cell sale
-- ARGV  epoch line_name entrants root seed contributions
-- REPLY drawn: root | early: due_at_ms | unknown_on_sale | closed | fenced: epoch
-- INCLUDES clock gate of_line drawn
-- FLAGS allow-oom
local cell, sale = unpack(KEYS)
local epoch, line_name, entrants, root, seed, contributions = unpack(ARGV)

local refusal = gate(cell, epoch)
if refusal then return refusal end
local told = drawn_as_written(sale, line_name)
if not told then return {"unknown_on_sale"} end
if told[6] ~= "" then return {"drawn", told[7]} end
if told[3] ~= tonumber(entrants) or clock() < told[4] then return {"early", told[4]} end

redis.call("HSET", sale, of_line("root", line_name), root, of_line("drawn_seed", line_name), seed,
  of_line("contributions", line_name), contributions)
return {"drawn", root}
