-- Two blocks for a party in two parts, see `find_split`. `g<block>`: a block's neighbours as the plan has them, packed
-- {same row, adjacent rows, near}, the nearest first. The first `PAIRS` blocks with room for the larger part are looked at.
-- INCLUDES runs draft candidates slots search
local PAIRS = 32

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
  local count, part = half > LARGEST_INDEXED and AT_ONCE or PAIRS, {k = half, mask = wish.mask, span = wish.span}
  for _, slot in ipairs(slots_of(performance, wish, half)) do
    for _, edge in ipairs(EDGES[wish.edge or 0]) do
      for _, length in ipairs(lengths_for(half, edge, false)) do
        local blocks = walk(performance, part, slot, edge and edge + 1 or 1, length)(count)
        for _, block in ipairs(blocks) do anywhere[#anywhere + 1] = block end
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
