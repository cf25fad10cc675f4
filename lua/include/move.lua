-- A performance's fields as they are in another plan: see `places`.
-- INCLUDES places

-- A hold in the order in which it was chosen; a run that is one no more becomes several, with the same letter each.
local function move_hold(move, record)
  local seats, areas, letters = {}, {}, ""
  for at = 1, #record[3], 3 do
    local next_to
    for step = 1, record[3][at + 2] do
      local to = move.plan.numbers[move.from[record[3][at]] + record[3][at + 1] + step]
      local block, last = move.block_of[to], #seats
      if to == next_to and block == seats[last - 2] then
        seats[last] = seats[last] + 1
      else
        seats[last + 1], seats[last + 2], seats[last + 3] = block, to - 1 - move.first[block], 1
        letters = letters .. string.sub(record[6] or "", (at + 2) / 3, (at + 2) / 3)
      end
      next_to = to + 1
    end
  end
  for at = 1, #record[4], 2 do areas[at], areas[at + 1] = move_area(move, record[4][at]), record[4][at + 1] end
  record[3], record[4] = seats, areas
  if record[6] then record[6] = letters end
  return record
end

-- Of the units that are released by and by, those that are general seats already stay so. What becomes a unit is
-- released with the others, at the steps that are to come; where there were none, at those that the plan brings.
local function move_curve(move, fields)
  local steps, units = unpack(move.plan.curve)
  local curve = fields.x and cmsgpack.unpack(fields.x) or {steps, {}}
  local blocks, is_unit, is_known = move_blocks(move, fields, curve[2]), {}, {}
  for _, block in ipairs(curve[2]) do
    if string.find(fields["c" .. block], " %l") then
      for _, to in ipairs(move_blocks(move, fields, {block})) do is_unit[to] = true end
    end
  end
  for _, block in ipairs(blocks) do
    local described = move.plan.blocks[block + 1]
    if not is_unit[block] then described[1] = string.upper(described[1]) end
    is_known[block] = true
  end
  for _, block in ipairs(units) do
    if not is_known[block] then blocks[#blocks + 1] = block end
  end
  table.sort(blocks)
  return cmsgpack.pack({curve[1], blocks, curve[3]})
end

-- What is not of a plan stays as it is: whose holds these are, what was set aside for whom, when it is released.
local function move_fields(move, fields)
  local moved, plan = {}, move.plan
  for name, value in pairs(fields) do
    local kind, number = string.match(name, "^([at])%u?(%d+)$")
    if string.sub(name, 1, 1) == "h" then
      moved[name] = cmsgpack.pack(move_hold(move, cmsgpack.unpack(value)))
    elseif kind then
      local to = move_area(move, string.sub(name, 2))
      local more = name == "a" .. number and plan.areas[number + 1][2] or 0
      if to then moved[kind .. to] = value + more end
    elseif string.find(name, "^l%u$") then
      local areas, record = {}, cmsgpack.unpack(value)
      for _, area in ipairs(record[4]) do areas[#areas + 1] = move_area(move, area) end
      moved[name] = cmsgpack.pack({record[1], record[2], move_blocks(move, fields, record[3]), areas})
    elseif not string.find(name, "^[bcg]%d+$") then
      moved[name] = value
    end
  end
  local next_step = plan.curve[1][1]
  if fields.x or next_step then moved.x = move_curve(move, fields) end
  if next_step and not fields.x then moved.q = math.min(tonumber(fields.q) or math.huge, next_step) end
  for number, places in ipairs(plan.capacities) do
    local name = "a" .. (number - 1)
    moved[name] = moved[name] or places
  end
  moved.n, moved.k, moved.m, moved.v = #plan.blocks, plan.categories, #plan.capacities, fields.v + 1
  return moved
end
