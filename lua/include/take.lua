-- Takes in a draft what one item of a wish asks for: named seats, the best together, or standing places. Seats that
-- somebody else has are collected in `taken`. `letters`: of rows, what this owner may take; empty: what is everybody's.
-- How the best were found is told in `ways`. Answers a refusal when there is not enough left, or when seats of a unit that
-- is sold as a whole are named without the rest; else nil.
-- INCLUDES draft pick find_best find_split share
local function hold_run(performance, block, offset, count, letter)
  local seats = performance.seats
  local at = #seats
  put(performance, block, offset, count, "h")
  seats[at + 1], seats[at + 2], seats[at + 3] = block, offset, count
  performance.returns_to[at / 3 + 1] = letter
  if letter ~= "o" then performance.is_allotted = true end
end

local function take_named(performance, number, item, taken, letters)
  local at, named, units, missing = 3, performance.named, {}, {}
  if letters == "" then letters = "o" end
  while item[at] do
    -- Neighbours that are named in order, and come from the same, are one run.
    local block, offset, count = item[at], item[at + 1], 0
    local row = read_block(performance, block)
    local letter = string.sub(row, offset + 1, offset + 1)
    local is_free = letter ~= "" and string.find(letters, letter, 1, true) ~= nil
    repeat
      if not is_free then
        taken[#taken + 1], taken[#taken + 2], taken[#taken + 3] = number, block, offset + count
      end
      at, count = at + 2, count + 1
    until item[at] ~= block or item[at + 1] ~= offset + count
      or string.sub(row, offset + count + 1, offset + count + 1) ~= letter
    if is_free then hold_run(performance, block, offset, count, letter) end
    if named[#named] ~= block then named[#named + 1] = block end
    if string.find(description_of(performance, block), " %l+$") then
      if not missing[block] then units[#units + 1], missing[block] = block, #row end
      missing[block] = missing[block] - count
    end
  end
  for _, block in ipairs(units) do
    if missing[block] > 0 then return {"whole", number, block} end
  end
  return nil
end

local function leaves_alone(performance, runs)
  for at = 1, #runs, 3 do
    local block = runs[at]
    if newly_alone(found_row(performance, block), performance.rows[block], classes_of(performance, block)) then return true end
  end
  return false
end

local function take_best(performance, number, item, level, ways)
  local wish = item[5] or {class = "", k = 0, level = 0}
  if wish.from then wish.near = blocks_of(performance, wish) end
  wish.class, wish.k, wish.level = item[3], item[4], (wish.unit or wish.from) and 1 or level
  local block, offset, found = find_best(performance, wish)
  local runs, split = block and {block, offset, wish.k}, 0
  if not runs and (wish.split or 0) > 0 and wish.k > 1 then runs, split = find_split(performance, wish, wish.split) end
  if not runs then return {"none", number, (wish.from and largest_share or largest_party)(performance, wish)} end
  for at = 1, #runs, 3 do hold_run(performance, runs[at], runs[at + 1], runs[at + 2], wish.from or "o") end
  ways[#ways + 1] = {number, split, found ~= 0 and leaves_alone(performance, runs) and 1 or 0}
  return nil
end

local function take_places(performance, number, item)
  local area, count, places, areas = item[3], item[4], performance.taken_places, performance.areas
  local open = (tonumber(redis.call("HGET", performance.key, "a" .. area)) or 0) - (places[area] or 0)
  if open < count then return {"none", number, open} end
  places[area] = (places[area] or 0) + count
  areas[#areas + 1], areas[#areas + 2] = area, count
  return nil
end

local function take(performance, number, item, taken, letters, level, ways)
  if item[2] == "best" then return take_best(performance, number, item, level, ways) end
  if item[2] == "area" then return take_places(performance, number, item) end
  return take_named(performance, number, item, taken, letters)
end
