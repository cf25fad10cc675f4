-- What is set aside of a performance, by letter: {name, release_at_ms (0: never by itself), blocks {block, …}, areas
-- {area, …}}. Its seats have the letter in their rows; its standing places are those of "<letter><area>". What was taken
-- of it comes back to it, and where it has ended by then, to everybody.
-- INCLUDES set_aside draft history
local function letters_aside(performance)
  return redis.call("HGET", performance.key, "l") or ""
end

local function came_from(performance, returns_to, run)
  local letter = string.sub(returns_to or "", run, run)
  if letter == "" or letter == "o" then return "o" end
  return redis.call("HEXISTS", performance.key, "l" .. letter) == 1 and letter or "o"
end

local function area_of(performance, area)
  local letter, number = string.match(area, "^(%u)(%d+)$")
  if not letter or redis.call("HEXISTS", performance.key, "l" .. letter) == 1 then return area end
  return tonumber(number)
end

-- Puts what is open of the seats under a letter, and so many places, some of which are sold. What is under `b` is
-- blocked, and no allotment.
local function put_aside(performance, letter, name, release_at_ms, seats, areas)
  local blocks, numbers = {}, {}
  for at = 1, #seats, 2 do
    local block, offset = seats[at], seats[at + 1]
    if string.sub(read_block(performance, block), offset + 1, offset + 1) == "o" then
      put(performance, block, offset, 1, letter)
    end
    if blocks[#blocks] ~= block then blocks[#blocks + 1] = block end
  end
  for at = 1, #areas, 3 do
    local area, count, sold = areas[at], areas[at + 1], areas[at + 2]
    count_places(performance, area, sold - count, -sold)
    count_places(performance, letter .. area, count - sold, sold)
    numbers[#numbers + 1] = area
  end
  if letter == "b" then return end
  redis.call("HSET", performance.key, "l" .. letter, cmsgpack.pack({name, release_at_ms, blocks, numbers}),
    "l", letters_aside(performance) .. letter)
end

-- What is left of it is everybody's from now on.
local function end_allotment(performance, letter)
  local record = set_aside(performance, letter)
  for _, block in ipairs(record[3]) do
    local row = read_block(performance, block)
    local from, to = string.find(row, letter .. "+")
    while from do
      put(performance, block, from - 1, to - from + 1, "o")
      from, to = string.find(row, letter .. "+", to + 1)
    end
  end
  for _, area in ipairs(record[4]) do
    local places = redis.call("HMGET", performance.key, "a" .. letter .. area, "t" .. letter .. area)
    local open, sold = tonumber(places[1]) or 0, tonumber(places[2]) or 0
    count_places(performance, letter .. area, -open, -sold)
    count_places(performance, area, open, sold)
    redis.call("HDEL", performance.key, "a" .. letter .. area, "t" .. letter .. area)
  end
  redis.call("HDEL", performance.key, "l" .. letter)
  redis.call("HSET", performance.key, "l", (string.gsub(letters_aside(performance), letter, "")))
end
