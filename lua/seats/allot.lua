-- Sets open seats and standing places aside, all of them or nothing: under the letter of an allotment until it is
-- released, or, under `b`, blocked.
--
-- KEYS  cell outbox performance index due
-- ARGV  epoch letter name release_at_ms seats areas
-- WHERE release_at_ms: 0 = never by itself; seats: packed [block, offset, …]; areas: packed [area, count, 0, …],
--       none of them sold
-- REPLY allotted: sequence | exists | letter_used: name | taken: (block offset)… | few: area open
--       | unknown_performance | closed | fenced: epoch
-- INCLUDES gate step draft sweep set_aside aside release_due settle history
-- FLAGS
local cell, outbox, key, index, due = unpack(KEYS)
local epoch, letter, name, release_at_ms, seats, areas = unpack(ARGV)
local SWEPT, BLOCKED = 8, "b"

local refusal = gate(cell, epoch)
if refusal then return refusal end
local performance = draft(key, index, due, step_of(cell, outbox, epoch))
if not performance then return {"unknown_performance"} end
sweep(performance, SWEPT)

local known = letter ~= BLOCKED and set_aside(performance, letter)
if known and known[1] == name then return {"exists"} end
if known then return {"letter_used", known[1]} end
seats, areas = cmsgpack.unpack(seats), cmsgpack.unpack(areas)
local taken = {"taken"}
for at = 1, #seats, 2 do
  local block, offset = seats[at], seats[at + 1]
  local state = string.sub(read_block(performance, block), offset + 1, offset + 1)
  if state ~= "o" and (state ~= BLOCKED or letter ~= BLOCKED) then
    taken[#taken + 1], taken[#taken + 2] = block, offset
  end
end
if #taken > 1 then return taken end
for at = 1, #areas, 3 do
  local open = tonumber(redis.call("HGET", key, "a" .. areas[at])) or 0
  if open < areas[at + 1] then return {"few", areas[at], open} end
end

put_aside(performance, letter, name, tonumber(release_at_ms), seats, areas)
plan_release(performance)
settle(performance)
local reply = {"allotted", numbered(performance.step)}
tell(performance, letter == BLOCKED and "block" or "allot", "house", "")
return reply
