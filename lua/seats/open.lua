-- Gives back to everybody what was set aside: all that is left of an allotment, or the blocked ones among the seats.
--
-- KEYS  cell outbox performance index due
-- ARGV  epoch letter name seats
-- WHERE seats: packed [block, offset, …]; empty for an allotment
-- REPLY opened: sequence | nothing_aside | unknown_performance | closed | fenced: epoch
-- INCLUDES gate step draft sweep set_aside aside release_due settle history
-- FLAGS
local cell, outbox, key, index, due = unpack(KEYS)
local epoch, letter, name, seats = unpack(ARGV)
local SWEPT, BLOCKED = 8, "b"

local refusal = gate(cell, epoch)
if refusal then return refusal end
local performance = draft(key, index, due, step_of(cell, outbox, epoch))
if not performance then return {"unknown_performance"} end
sweep(performance, SWEPT)

seats = cmsgpack.unpack(seats)
local known = letter ~= BLOCKED and set_aside(performance, letter)
local is_aside = known and known[1] == name
for at = 1, letter == BLOCKED and #seats or 0, 2 do
  local offset = seats[at + 1]
  if string.sub(read_block(performance, seats[at]), offset + 1, offset + 1) == BLOCKED then
    put(performance, seats[at], offset, 1, "o")
    is_aside = true
  end
end
if not is_aside then return {"nothing_aside"} end

if known then
  end_allotment(performance, letter)
  plan_release(performance)
end
settle(performance)
local reply = {"opened", numbered(performance.step)}
tell(performance, "open", "house", "")
return reply
