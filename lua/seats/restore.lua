-- Puts back what the ledger knows as sold into a performance that went back in time, while the gate is closed, and
-- opens what was returned since.
-- Every hold there is from before the loss and ends first, or its end would free a seat that is sold.
--
-- KEYS  cell performance index due
-- ARGV  epoch seats returned areas aside curve
-- REPLY restored: count | unknown_performance | fenced: stored_epoch
-- WHERE seats, returned: packed [block, offset, …]; areas: packed [sold places of area 0, of area 1, …];
--       aside: packed [[letter, name, release_at_ms, seats [block, offset, …], areas [area, count, sold, …]], …], all that
--       is set aside, and blocked under `b`: what is not is everybody's; curve: as for `bend`
-- INCLUDES fence step draft free_hold aside curve release_due settle
-- FLAGS allow-oom
local cell, key, index, due = unpack(KEYS)
local epoch, seats, returned, areas, aside, curve = unpack(ARGV)
seats, returned, areas, aside = cmsgpack.unpack(seats), cmsgpack.unpack(returned), cmsgpack.unpack(areas), cmsgpack.unpack(aside)

local refusal = fence(cell, epoch)
if refusal then return refusal end
local performance = draft(key, index, due, step_of(cell, nil, epoch))
if not performance then return {"unknown_performance"} end

performance.return_ms = 0
for _, hold in ipairs(redis.call("ZRANGE", due, 0, -1)) do
  free_hold(performance, hold, cmsgpack.unpack(redis.call("HGET", key, "h" .. hold)), "restore")
end
for letter in string.gmatch(letters_aside(performance), "%u") do end_allotment(performance, letter) end
for block = 0, performance.blocks - 1 do
  local from, to = string.find(read_block(performance, block), "b+")
  while from do
    put(performance, block, from - 1, to - from + 1, "o")
    from, to = string.find(performance.rows[block], "b+", to + 1)
  end
end
for place = 1, #returned, 2 do
  read_block(performance, returned[place])
  put(performance, returned[place], returned[place + 1], 1, "o")
end
for place = 1, #seats, 2 do
  read_block(performance, seats[place])
  put(performance, seats[place], seats[place + 1], 1, "s")
end
for place, sold in ipairs(areas) do
  local known = tonumber(redis.call("HGET", key, "t" .. (place - 1))) or 0
  redis.call("HSET", key, "t" .. (place - 1), sold)
  redis.call("HINCRBY", key, "a" .. (place - 1), known - sold)
end
for _, each in ipairs(aside) do put_aside(performance, unpack(each)) end
curve = cmsgpack.unpack(curve)
bend_curve(performance, curve[1], curve[2])
plan_release(performance)
settle(performance)
return {"restored", #seats / 2}
