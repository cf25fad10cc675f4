-- A party that no row can seat together, split in the least bad way that its wish allows: in two parts in one row
-- (split 1), in rows one behind the other (2), or near each other (3); else (4) in as few parts as may be, anywhere.
-- Nobody sits alone where that can be, and the parts are as even as may be. `g<block>`: a block's neighbours as the
-- plan has them, packed {same row, adjacent rows, near}, the nearest first. What else a wish says, it says of each part;
-- but a unit is not split. For two parts the first `PAIRS` blocks that have room for the larger are looked at.
-- Changes nothing: answers runs {block, offset, count, …} and how they are split, or nil.
-- INCLUDES find_best candidates draft runs
local PAIRS, LARGEST_PART = 32, 8

local function part_of(wish, k)
  return {class = wish.class, k = k, level = wish.level, mask = wish.mask, span = wish.span, edge = wish.edge,
    near = wish.near, from = wish.from}
end

-- How long the two longest runs of a row are that a part may take.
local function reach(performance, wish, block)
  local row, classes = performance.rows[block], classes_of(performance, block)
  local find, free, edge = string.find, (wish.from or "o") .. "+", wish.edge
  local wanted = wish.class == "" and "%u+" or "[" .. wish.class .. "]+"
  local longest, second = 0, 0
  local from, to = find(row, free)
  while from do
    local first, last = find(classes, wanted, from)
    while first and first <= to do
      last = math.min(last, to)
      if not edge or (first == 1 and edge ~= 2) or (last == #row and edge ~= 1) then
        second = math.max(second, math.min(longest, last - first + 1))
        longest = math.max(longest, last - first + 1)
      end
      first, last = find(classes, wanted, last + 1)
    end
    from, to = find(row, free, to + 1)
  end
  return longest, second
end

local function focus_of(performance, wish, block)
  local near = wish.near or {}
  for place = 1, #near, 2 do
    if near[place] == block then return near[place + 1] end
  end
  return tonumber(string.match(description_of(performance, block), "^%S+"))
end

-- The first blocks that have room for the larger part: those near a seat, where that is wished, and those anywhere.
local function roomy(performance, wish, half)
  local room = string.rep(wish.from or "o", half)
  local function with_room(blocks)
    local roomy_ones = {}
    read_blocks(performance, blocks)
    for _, block in ipairs(blocks) do
      if #roomy_ones < PAIRS and string.find(performance.rows[block], room, 1, true) then
        roomy_ones[#roomy_ones + 1] = block
      end
    end
    return roomy_ones
  end

  local near, anywhere = {}, {}
  for place = 1, #(wish.near or {}), 2 do near[#near + 1] = wish.near[place] end
  near = with_room(near)
  if wish.from then return {near} end
  local count = half > LARGEST_INDEXED and AT_ONCE or PAIRS
  for _, slot in ipairs(slots_of(performance, wish, half)) do
    for _, edge in ipairs(EDGES[wish.edge or 0]) do
      for _, block in ipairs(walk(performance, wish, slot, edge and edge + 1 or 1, half)(count)) do
        anywhere[#anywhere + 1] = block
      end
    end
  end
  table.sort(anywhere)
  return {near, with_room(anywhere)}
end

-- {block, size of its part, other block} of the best two parts, the larger in one of these; of kinds up to `most`; or nil.
local function find_pair(performance, wish, most, half, blocks)
  local find, rep, min, free = string.find, string.rep, math.min, wish.from or "o"
  local k, names, unread = wish.k, {}, {}
  for at = 1, #blocks do names[at] = "g" .. blocks[at] end
  if #names == 0 then return nil end
  local rows, beside = performance.rows, redis.call("HMGET", performance.key, unpack(names))
  for at = 1, #names do
    beside[at], unread[#unread + 1] = beside[at] and cmsgpack.unpack(beside[at]) or {}, blocks[at]
    for kind = 1, most do
      for _, other in ipairs(beside[at][kind] or {}) do
        if is_allowed(wish.mask, other) then unread[#unread + 1] = other end
      end
    end
  end
  read_blocks(performance, unread)

  -- A pair's badness: someone alone, then the kind, then the larger part. Of two as bad the first is taken.
  local pair, badness, alone = nil, 16 * k, 8 * k
  local function consider(kind, block, longest, other, other_longest)
    local larger = math.max(half, k - other_longest)
    local bad = (larger == k - 1 and k > 3 and alone or 0) + kind * k + larger
    if larger <= longest and larger < k and bad < badness then
      pair, badness = {block, larger, other, split = kind}, bad
    end
  end
  for at = 1, #names do
    local block = blocks[at]
    local longest, second = reach(performance, wish, block)
    if longest >= half then
      consider(1, block, longest, block, second)
      for kind = 1, most do
        if kind * k + half >= badness then break end
        local room = rep(free, k - min(longest, k - 1, badness - kind * k - 1))
        for _, other in ipairs(beside[at][kind] or {}) do
          if rows[other] and find(rows[other], room, 1, true) and is_allowed(wish.mask, other) then
            consider(kind, block, longest, other, (reach(performance, wish, other)))
          end
        end
      end
    end
    if badness == k + half then break end
  end
  return pair
end

local function find_parts(performance, wish, sizes)
  local runs, kept = {}, {}
  local function seat(part, block, offset)
    kept[block] = kept[block] or performance.rows[block]
    overwrite(performance, block, offset, part.k, "h")
    local at = #runs
    runs[at + 1], runs[at + 2], runs[at + 3] = block, offset, part.k
  end
  sizes(seat)
  for block, row in pairs(kept) do performance.rows[block] = row end
  return runs
end

local function find_split(performance, wish, most)
  if wish.unit then return nil end
  local half, pair = math.ceil(wish.k / 2), nil
  for _, blocks in ipairs(roomy(performance, wish, half)) do
    pair = pair or find_pair(performance, wish, math.min(most, 3), half, blocks)
  end
  if pair then
    return find_parts(performance, wish, function(seat)
      for place, block in ipairs({pair[1], pair[3]}) do
        local part = part_of(wish, place == 1 and pair[2] or wish.k - pair[2])
        part.near = {block, focus_of(performance, wish, block)}
        local _, offset = find_near(performance, part)
        seat(part, block, offset)
      end
    end), pair.split
  end
  if most < 4 then return nil end
  local left, size = wish.k, math.min(wish.k - 1, LARGEST_PART)
  local runs = find_parts(performance, wish, function(seat)
    while left > 0 and size > 0 do
      size = math.min(size, left)
      if left - size == 1 and size > 2 then size = size - 1 end
      local part = part_of(wish, size)
      local block, offset = find_best(performance, part)
      if block then
        seat(part, block, offset)
        left = left - size
      else
        size = size - 1
      end
    end
  end)
  if left > 0 then return nil end
  return runs, 4
end
