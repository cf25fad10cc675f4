-- Calls whom the rate allows now, and writes down how far the line is. What is shown to everybody was written before,
-- so that it stands when the clock is set back.
--
-- KEYS  cell sale live
-- ARGV  epoch
-- REPLY serving: now_serving others | unknown_on_sale | closed | fenced: epoch
-- WHERE others: [line, now_serving, …], the lines beside the public one
-- INCLUDES clock gate turn
-- FLAGS allow-oom
local cell, sale, live = unpack(KEYS)

local refusal = gate(cell, ARGV[1])
if refusal then return refusal end
local line = turn(sale, live, clock())
if not line then return {"unknown_on_sale"} end
local others = {}
for _, other in ipairs(line.others) do
  others[#others + 1], others[#others + 2] = other.name, other.now_serving
end
return {"serving", line.now_serving, others}
