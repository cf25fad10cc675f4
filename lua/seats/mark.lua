-- Sets named seats from one state to another: blocks open seats, opens blocked ones, restores sold ones.
--
-- KEYS  cell outbox performance index due
-- ARGV  epoch from to seats
-- WHERE seats: packed [block, offset, …]
-- REPLY marked: sequence | taken: (block offset)… | unknown_performance | fenced: stored_epoch
-- INCLUDES fence step draft settle history
-- FLAGS
local cell, outbox, key, index, due = unpack(KEYS)
local epoch, from, to, seats = ARGV[1], ARGV[2], ARGV[3], cmsgpack.unpack(ARGV[4])

local refusal = fence(cell, epoch)
if refusal then return refusal end
local step = step_of(cell, outbox, epoch)
local performance = draft(key, index, due, step)
if not performance then return {"unknown_performance"} end
local taken = {"taken"}
for place = 1, #seats, 2 do
  local row = read_block(performance, seats[place])
  local offset = seats[place + 1]
  if string.sub(row, offset + 1, offset + 1) ~= from then
    taken[#taken + 1], taken[#taken + 2] = seats[place], offset
  else
    put(performance, seats[place], offset, 1, to)
  end
end
if #taken > 1 then return taken end

settle(performance)
tell(performance, "mark", "house", "")
return {"marked", numbered(step)}
