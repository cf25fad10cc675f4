-- A party that no row can seat together, split in the least bad way that its wish allows: in two parts in one row
-- (split 1), in rows one behind the other (2), or near each other (3); else (4) in as few parts as may be, anywhere.
-- Nobody sits alone where that can be, and the parts are as even as may be. What else a wish says, it says of each part;
-- but a unit is not split. Changes nothing: answers runs {block, offset, count, …} and how they are split, or nil.
-- INCLUDES find_best find_near find_pair roomy known draft
local LARGEST_PART, NEAR_A_PART = 8, 32

local function part_of(wish, k)
  local near = wish.near -- of what is set aside that is all there is
  if near and not wish.from then near = {unpack(near, 1, math.min(#near, 2 * NEAR_A_PART))} end
  return {class = wish.class, k = k, level = wish.level, mask = wish.mask, span = wish.span, edge = wish.edge,
    ends = wish.ends, near = near, from = wish.from}
end

local function focus_of(performance, wish, block)
  local near = wish.near or {}
  for place = 1, #near, 2 do
    if near[place] == block then return near[place + 1] end
  end
  return parts_in(description_of(performance, block))[1]
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
