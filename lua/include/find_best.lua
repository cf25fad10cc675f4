-- The best block for k seats together, through the index: flat in the size of the hall. First anywhere that leaves
-- nobody alone (level 0), then anywhere at all (1). The index speaks of rows as stored and of parties up to eight: what
-- this call changed is looked at besides, and of a larger party the rows are, many at a time, until one serves it.
--
-- A wish is {class = the letters that may be taken ("" any general seat), k, level = 0, or 1 where nobody minds a seat
-- left alone, mask, span = {k = mask} of the blocks in which k seats together may be of several letters (not said: all),
-- whole = what is allowed besides and is long enough, for a party of which the index does not know,
-- edge = 1 left 2 right 3 either, ends = {mask, mask} of those of `mask` of which the left end is meant, and the right (of
-- `edge` 3; not said: both of all), near = {block, focus, …} to be tried first and in this order, from = the letter of
-- the allotment to take from (only `near`, then), unit = a whole block or nothing}. Answers block, offset, level; or nil.
-- INCLUDES runs segment draft slots search find_near

-- The first block of all at a level, where nothing else is wished for: as the next step would find it, only sooner.
local function first_indexed(performance, wish, slots, level)
  local blocks, best = performance.blocks, nil
  local first, stride = segment(0, level, wish.k, blocks)
  for number = 1, #slots do
    local base = first + slots[number] * A_CLASS * stride
    local found = redis.call("BITPOS", performance.index, 1, base, base + (best or blocks) - 1, "BIT")
    if found >= 0 then best = found - base end
    if best == 0 then break end
  end
  return best
end

local function find_best(performance, wish)
  if wish.near then
    local block, offset, level = find_near(performance, wish)
    if block then return block, offset, level end
  end
  if wish.from then return nil end
  local found, slots = nil, slots_of(performance, wish, wish.k)
  local is_told = wish.k <= LARGEST_INDEXED -- whether the index tells who is left alone
  for level = wish.level, 1 do
    local strict, loose = level == 0, level == 1 or not is_told
    if is_told and not wish.edge and not wish.mask and #performance.touched == 0 then
      local block = first_indexed(performance, wish, slots, level)
      local offset = block and read_block(performance, block) and fit(performance, wish, block, nil, strict)
      if offset then return block, offset, level end
    end
    found = found or {}
    for _, edge in ipairs(EDGES[wish.edge or 0]) do
      if #performance.touched > 0 then
        search(performance, wish, changed_blocks(performance, wish), edge, strict, loose, found)
      end
      for _, slot in ipairs(slots) do
        for _, length in ipairs(lengths_for(wish.k, edge, not loose)) do
          local following = walk(performance, wish, slot, edge and edge + 1 or is_told and level or 1, length)
          search(performance, wish, following, edge, strict, loose, found)
        end
      end
    end
    if found[0] then return found[0], found[2], 0 end
    if found[1] then return found[1], found[3], 1 end
    if not is_told then return nil end
  end
  return nil
end

-- The largest party that still finds seats together (0: none), as far as the index knows.
local function finds_seats(performance, wish, k)
  local party = {k = k, mask = wish.mask, span = wish.span, ends = wish.ends}
  for _, slot in ipairs(slots_of(performance, wish, k)) do
    for _, edge in ipairs(EDGES[wish.edge or 0]) do
      for _, length in ipairs(lengths_for(k, edge, false)) do
        if #walk(performance, party, slot, edge and edge + 1 or 1, length)(1) > 0 then return true end
      end
    end
  end
  return false
end

local function largest_party(performance, wish)
  local served, refused = 0, LARGEST_INDEXED + 1
  while served + 1 < refused do -- who serves a party serves a smaller one
    local k = math.floor((served + refused) / 2)
    if finds_seats(performance, wish, k) then served = k else refused = k end
  end
  return served
end
