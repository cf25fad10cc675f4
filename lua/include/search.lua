-- Looks at the rows of blocks, one after the other: whether a wish, see `find_best`, finds room in them.
-- INCLUDES known draft read_blocks pick candidates
local AT_ONCE = 512

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
  if edge and wish.ends and not is_allowed(wish.ends[edge], block) then return nil end
  local parts = parts_in(description_of(performance, block))
  local middle, classes = parts[1], parts[2]
  if edge then return pick_edge(row, classes, wish.class, wish.k, edge, is_strict, wish.from) end
  return pick(row, classes, wish.class, wish.k, focus or middle, is_strict, wish.from)
end

-- Of the blocks that follow, the first that serves: `strict` without leaving a seat alone, `loose` at all. What is
-- better than `found` goes there, by level its block and, two further, its offset. Of rows only those with room are kept.
local function search(performance, wish, following, edge, strict, loose, found)
  local count, has_room, is_clean = 1, nil, nil
  local blocks = following(1, found[strict and 0 or 1])
  while #blocks > 0 do
    local rows, behind = rows_of(performance, blocks), found[0] or math.huge
    for at = 1, #blocks do
      local block, row = blocks[at], rows[at]
      if block >= behind then return end
      if count == 1 or has_room(row) then
        keep_row(performance, block, row)
        if strict and (count == 1 or is_clean(row)) then
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
