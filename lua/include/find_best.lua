-- The best block for k seats together, through the index: flat in the size of the hall. First anywhere that leaves
-- nobody alone (level 0), then anywhere at all (1). The index speaks of rows as stored and of parties up to eight: what
-- this call changed is looked at besides, and of a larger party the rows are, many at a time, until one serves it. So
-- whoever can be seated together is.
--
-- A wish is {class = the letters that may be taken ("" any general seat), k, level = 0, or 1 where nobody minds a seat
-- left alone, mask, span = {k = mask} of the blocks in which k seats together may be of several letters (not said: all),
-- edge = 1 left 2 right 3 either, near = {block, focus, …} to be tried first and in this order, from = the letter of the
-- allotment to take from (only `near`, then), unit = a whole block or nothing}.
-- Answers block, offset, level; or nil.
-- INCLUDES runs segment draft pick candidates
local AT_ONCE = 512
local EDGES = {[0] = {false}, {1}, {2}, {1, 2}}

-- The slots of the index that hold every block that may serve a class: one a letter, and "" for blocks of several.
local function slots_of(performance, wish, k)
  local class, each = wish.class, {}
  if #class == 1 then return {class} end
  if not string.find(class, "%l") and (not wish.span or wish.span[k]) then each[1] = "" end
  if class == "" then
    for number = 1, performance.categories do each[#each + 1] = string.char(64 + number) end
  end
  for letter in string.gmatch(class, "%a") do each[#each + 1] = letter end
  return each
end

local function walk(performance, wish, slot, level, k)
  local base = segment(slot, level, k, performance.blocks, performance.categories)
  return candidates(performance, base, slot == "" and wish.span and wish.span[k] or wish.mask)
end

-- The first block of all at a level, where nothing else is wished for: as the next step would find it, only sooner.
local function first_indexed(performance, wish, slots, level)
  local blocks, best = performance.blocks, nil
  for number = 1, #slots do
    local base = segment(slots[number], level, wish.k, blocks, performance.categories)
    local found = redis.call("BITPOS", performance.index, 1, base, base + (best or blocks) - 1, "BIT")
    if found >= 0 then best = found - base end
    if best == 0 then break end
  end
  return best
end

-- The blocks that this call changed, of which the index says what was.
local function changed_blocks(performance, wish)
  local blocks, seen = {}, {}
  for _, block in ipairs(performance.touched) do
    if not seen[block] and is_allowed(wish.mask, block) then blocks[#blocks + 1], seen[block] = block, true end
  end
  table.sort(blocks)
  return walk_list(blocks)
end

-- Two quick looks at a row: whether it can have room at all, and whether without leaving a seat alone.
local function sieve(wish, edge)
  local find, sub, byte = string.find, string.sub, string.byte
  local free, k = wish.from or "o", wish.k
  local wanted, letter = string.rep(free, k), string.byte(free)
  if edge == 1 then
    return function(row) return sub(row, 1, k) == wanted end,
      function(row) return byte(row, k + 1) ~= letter or byte(row, k + 2) == letter end
  elseif edge == 2 then
    return function(row) return sub(row, -k) == wanted end,
      function(row) return byte(row, -k - 1) ~= letter or byte(row, -k - 2) == letter end
  end
  local more, exactly = wanted .. free .. free, "%f[" .. free .. "]" .. wanted .. "%f[^" .. free .. "]"
  return function(row) return find(row, wanted, 1, true) end,
    function(row) return find(row, more, 1, true) or find(row, exactly) end
end

local function fit(performance, wish, block, edge, is_strict, focus)
  local row = performance.rows[block]
  if wish.unit and #row ~= wish.k then return nil end
  local middle, classes = string.match(description_of(performance, block), "^(%S+) (%a+)$")
  if edge then return pick_edge(row, classes, wish.class, wish.k, edge, is_strict, wish.from) end
  return pick(row, classes, wish.class, wish.k, focus or tonumber(middle), is_strict, wish.from)
end

-- Of the blocks that follow, the first that serves: `strict` without leaving a seat alone, `loose` at all. What is
-- better than `found` goes there, by level its block and, two further, its offset.
local function search(performance, wish, following, edge, strict, loose, found)
  local rows, count, has_room, is_clean = performance.rows, 1, nil, nil
  local blocks = following(1, found[strict and 0 or 1])
  while #blocks > 0 do
    read_blocks(performance, blocks)
    for at = 1, #blocks do
      local block = blocks[at]
      if found[0] and block >= found[0] then return end
      if count == 1 or has_room(rows[block]) then
        if strict and (count == 1 or is_clean(rows[block])) then
          local offset = fit(performance, wish, block, edge, true)
          if offset then
            found[0], found[2] = block, offset
            return
          end
        end
        if loose and (not found[1] or block < found[1]) then
          local offset = fit(performance, wish, block, edge, false)
          if offset then found[1], found[3] = block, offset end
        end
        if not strict and found[1] and block >= found[1] then return end
      end
    end
    if count == 1 then has_room, is_clean = sieve(wish, edge) end
    count = math.min(count * 8, AT_ONCE)
    blocks = following(count, found[strict and 0 or 1])
  end
end

local function find_near(performance, wish)
  local near, blocks, edges = wish.near, {}, EDGES[wish.edge or 0]
  for place = 1, #near, 2 do blocks[#blocks + 1] = near[place] end
  read_blocks(performance, blocks)
  local first, first_offset
  local looks = {}
  for number, edge in ipairs(edges) do looks[number] = {sieve(wish, edge)} end
  for place = 1, #near, 2 do
    local block, row = near[place], performance.rows[near[place]]
    for number, edge in ipairs(edges) do
      if looks[number][1](row) then
        if wish.level == 0 and looks[number][2](row) then
          local offset = fit(performance, wish, block, edge, true, near[place + 1])
          if offset then return block, offset, 0 end
        end
        if not first then
          local offset = fit(performance, wish, block, edge, false, near[place + 1])
          if offset then first, first_offset = block, offset end
          if offset and wish.level == 1 then return block, offset, 1 end
        end
      end
    end
  end
  return first, first_offset, 1
end

local function find_best(performance, wish)
  if wish.near then
    local block, offset, level = find_near(performance, wish)
    if block then return block, offset, level end
  end
  if wish.from then return nil end
  local found, slots = {}, slots_of(performance, wish, wish.k)
  local is_told = wish.k <= LARGEST_INDEXED and not wish.edge -- whether the index tells who is left alone
  for level = wish.level, 1 do
    local strict, loose = level == 0, level == 1 or not is_told
    if is_told and not wish.mask and #performance.touched == 0 then
      local block = first_indexed(performance, wish, slots, level)
      local offset = block and read_block(performance, block) and fit(performance, wish, block, nil, strict)
      if offset then return block, offset, level end
    end
    for _, edge in ipairs(EDGES[wish.edge or 0]) do
      if #performance.touched > 0 then
        search(performance, wish, changed_blocks(performance, wish), edge, strict, loose, found)
      end
      for _, slot in ipairs(slots) do
        local following = walk(performance, wish, slot, edge and edge + 1 or is_told and level or 1, wish.k)
        search(performance, wish, following, edge, strict, loose, found)
      end
    end
    if found[0] then return found[0], found[2], 0 end
    if found[1] then return found[1], found[3], 1 end
    if not is_told then return nil end
  end
  return nil
end

-- The largest party that still finds seats together (0: none), as far as the index knows.
local function largest_party(performance, wish)
  for k = LARGEST_INDEXED, 1, -1 do
    for _, slot in ipairs(slots_of(performance, wish, k)) do
      if #walk(performance, wish, slot, 1, k)(1) > 0 then return k end
    end
  end
  return 0
end
