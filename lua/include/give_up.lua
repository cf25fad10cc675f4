-- Gives up, in its draft, what a hold has of a performance, so that something else may be taken in the same step: its
-- seats are what they were before they were held, and its places open. What was not taken anew is left behind: it comes
-- back as from any hold that is let go, and counts as unpaid. `give_up` writes nothing.
-- INCLUDES draft aside free_hold history
local function give_up(performance, record)
  local seats, areas = record[3], record[4]
  performance.record, performance.given_up, performance.freed, performance.taken_places = record, 0, {}, {}
  for place = 1, #seats, 3 do
    local block, count, run = seats[place], seats[place + 2], (place + 2) / 3
    read_block(performance, block)
    put(performance, block, seats[place + 1], count, came_from(performance, record[6], run))
    performance.freed[block] = performance.rows[block]
    performance.given_up = performance.given_up + count
  end
  for place = 1, #areas, 2 do
    local area, count = area_of(performance, areas[place]), areas[place + 1]
    performance.taken_places[area] = (performance.taken_places[area] or 0) - count
    performance.given_up = performance.given_up + count
  end
end

-- Answers whether anything was, and what: seats {block, offset, count, …}, the letter of each run, areas {area, count, …}.
local function left_behind(performance)
  local record, seats, letters, areas = performance.record, {}, {}, {}
  for place = 1, #record[3], 3 do
    local block, first = record[3][place], record[3][place + 1]
    for offset = first, first + record[3][place + 2] - 1 do
      local letter, last = string.sub(performance.rows[block], offset + 1, offset + 1), #seats
      if letter ~= "h" then
        if seats[last - 2] == block and seats[last - 1] + seats[last] == offset and letters[last / 3] == letter then
          seats[last] = seats[last] + 1
        else
          seats[last + 1], seats[last + 2], seats[last + 3], letters[last / 3 + 1] = block, offset, 1, letter
        end
      end
    end
  end
  for area, count in pairs(performance.taken_places) do
    if count < 0 then areas[#areas + 1], areas[#areas + 2] = area, -count end
  end
  return #seats + #areas > 0, seats, letters, areas
end

local function leave(performance, hold, owner)
  local is_less, seats, letters, areas = left_behind(performance)
  if is_less and performance.return_ms > 0 then
    for place = 1, #seats, 3 do put(performance, seats[place], seats[place + 1], seats[place + 2], "h") end
    for place = 1, #areas, 2 do performance.taken_places[areas[place]] = 0 end
    keep_for_nobody(performance, hold, seats, areas, table.concat(letters))
  else
    redis.call("HDEL", performance.key, "h" .. hold)
    redis.call("ZREM", performance.due, hold)
  end
  if is_less and who_is(owner) == "visitor" then note_unpaid(performance, owner) end
  if performance.owned > 0 then
    local fields = performance.fields
    fields[#fields + 1], fields[#fields + 2] = "o" .. owner, performance.owned
  else
    redis.call("HDEL", performance.key, "o" .. owner)
  end
end
