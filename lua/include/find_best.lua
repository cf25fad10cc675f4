-- The best block for k seats together, through the index: flat in the size of the hall. First anywhere that
-- leaves nobody alone (level 0), then anywhere at all (1). The index speaks of rows as stored, of whole classes, and of
-- parties up to eight; so a row may disappoint, and the next is asked, within a limit.
--
-- A wish is {class = the letters that may be taken ("" any general seat), k, level = 0, or 1 where nobody minds a seat
-- left alone, mask, edge = 1 left 2 right 3 either, near = {block, focus, …} to be tried first and in this order,
-- from = the letter of the allotment to take from (only `near`, then), unit = a whole block or nothing}.
-- Answers block, offset, level; or nil.
-- INCLUDES runs segment draft pick candidates
local TRIES = 300

-- The classes whose segments hold every block that may serve: capital letters share what serves any general seat.
local function indexed_classes(class)
  if #class < 2 then return {class} end
  if not string.find(class, "%l") then return {""} end
  local each = {}
  for letter in string.gmatch(class, "%l") do each[#each + 1] = letter end
  return each
end

local function try_block(performance, wish, block, level, edge, focus)
  local row = read_block(performance, block)
  local middle, classes = string.match(performance.described[block], "^(%S+) (%a+)$")
  if wish.unit and #row ~= wish.k then return nil end
  if edge then return pick_edge(row, classes, wish.class, wish.k, edge, level == 0) end
  return pick(row, classes, wish.class, wish.k, focus or tonumber(middle), level == 0, wish.from)
end

local function find_near(performance, wish)
  for level = wish.level, 1 do
    for place = 1, #wish.near, 2 do
      local block, focus = wish.near[place], wish.near[place + 1]
      for edge = 1, 2 do
        local wanted = wish.edge and (wish.edge == 3 or wish.edge == edge) and edge
        if wanted or (not wish.edge and edge == 1) then
          local offset = try_block(performance, wish, block, level, wanted or nil, focus)
          if offset then return block, offset, level end
        end
      end
    end
  end
  return nil
end

-- The best block of one class at one level, and at one end where the wish is for an end.
local function find_in(performance, wish, class, level, edge)
  local base = segment(class, edge and edge + 1 or level, wish.k, performance.blocks, performance.categories)
  local next_block = candidates(performance, base, wish.mask)
  local block = next_block(0)
  for _ = 1, TRIES do
    if not block then return nil end
    local offset = try_block(performance, wish, block, level, edge)
    if offset then return block, offset end
    block = next_block(block + 1)
  end
  return nil
end

local function find_best(performance, wish)
  if wish.near then
    local block, offset, level = find_near(performance, wish)
    if block or wish.from then return block, offset, level end
  end
  local edges = ({[0] = {false}, {1}, {2}, {1, 2}})[wish.edge or 0]
  for level = wish.level, 1 do
    local best, best_offset
    for _, class in ipairs(indexed_classes(wish.class)) do
      for _, edge in ipairs(edges) do
        local block, offset = find_in(performance, wish, class, level, edge or nil)
        if block and (not best or block < best) then best, best_offset = block, offset end
      end
    end
    if best then return best, best_offset, level end
  end
  return nil
end

-- The largest party that still finds seats together (0: none), as far as the index knows.
local function largest_party(performance, wish)
  for k = LARGEST_INDEXED, 1, -1 do
    for _, class in ipairs(indexed_classes(wish.class)) do
      local base = segment(class, 1, k, performance.blocks, performance.categories)
      if candidates(performance, base, wish.mask)(0) then return k end
    end
  end
  return 0
end
