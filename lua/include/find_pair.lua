-- Two blocks for a party in two parts, see `find_split`. `g<block>`: a block's neighbours as the plan has them, packed
-- {same row, adjacent rows, near}, the nearest first.
-- INCLUDES candidates read_blocks reach

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
