-- Where a performance's seats, blocks and areas are in another plan. `plan` = {blocks {{"focus classes", neighbours}, …}, categories,
-- capacities {places, …} of the new areas, areas {{to, more}, …} for each of the old: its new number, or -1, and how
-- many places more it has; numbers {number, …} for each old seat, block by block: its number among the new ones from 1
-- on, or 0; curve {{at_ms, percent, …}, {block, …}} of the new plan, as `install` takes it}. No block number of one plan is ever used with the other.
-- INCLUDES
local function fields_of(key)
  local all, fields = redis.call("HGETALL", key), {}
  for at = 1, #all, 2 do fields[all[at]] = all[at + 1] end
  return fields
end

-- Where the seats are: in both plans the first seat of each block, in the new one each seat's block and its letter.
-- `missing`: {block, offset, …} in the old plan of what is held, sold or set aside and has no place in the new one.
local function move_seats(fields, plan)
  local move = {plan = plan, from = {}, first = {}, block_of = {}, letters = {}, missing = {}}
  local count = 0
  for number, described in ipairs(plan.blocks) do
    move.first[number - 1] = count
    for _ = 1, #string.match(described[1], " (%a+)$") do
      count = count + 1
      move.block_of[count], move.letters[count] = number - 1, "o"
    end
  end
  count = 0
  for block = 0, fields.n - 1 do
    local row = fields["b" .. block]
    move.from[block] = count
    for offset = 0, #row - 1 do
      count = count + 1
      local letter, to = string.sub(row, offset + 1, offset + 1), plan.numbers[count]
      if to > 0 then
        move.letters[to] = letter
      elseif letter ~= "o" and letter ~= "b" then
        local last = #move.missing
        move.missing[last + 1], move.missing[last + 2] = block, offset
      end
    end
  end
  return move
end

-- The new blocks of old ones, each once, in the order of their quality.
local function move_blocks(move, fields, blocks)
  local found, seen = {}, {}
  for _, block in ipairs(blocks) do
    for step = 1, #fields["b" .. block] do
      local to = move.block_of[move.plan.numbers[move.from[block] + step]]
      if to and not seen[to] then found[#found + 1], seen[to] = to, true end
    end
  end
  table.sort(found)
  return found
end

local function move_area(move, area)
  local letter, number = string.match(area, "^(%u?)(%d+)$")
  local to = move.plan.areas[number + 1][1]
  if to < 0 then return nil end
  return letter == "" and to or letter .. to
end

-- For the history: how its areas differ from all their places being open; area, more open, more sold, ….
local function moved_places(move, moved)
  local told = {}
  for name, value in pairs(moved) do
    local letter, number = string.match(name, "^a(%u?)(%d+)$")
    if letter then
      local at, area = #told, letter .. number
      told[at + 1] = tonumber(area) or area
      told[at + 2] = letter == "" and value - move.plan.capacities[number + 1] or tonumber(value)
      told[at + 3] = tonumber(moved["t" .. area] or 0)
    end
  end
  return told
end
