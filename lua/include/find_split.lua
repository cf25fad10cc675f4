-- A party that no row can seat together, split in the least bad way that its wish allows: in two parts in one row
-- (split 1), in rows one behind the other (2), or near each other (3); else (4) in as few parts as may be, anywhere.
-- The most even parts first; nobody sits alone where that can be. `g<block>`: a block's neighbours as the plan has them,
-- packed {same row, adjacent rows, near}, the nearest first. Changes nothing: answers runs {block, offset, count, …}
-- and how they are split, or nil.
-- INCLUDES find_best candidates segment
local LOOKS = 240

local function part_of(wish, k)
  return {class = wish.class, k = k, level = 1, mask = wish.mask}
end

local function neighbours_of(performance, block, split)
  local packed = redis.call("HGET", performance.key, "g" .. block)
  local found = packed and cmsgpack.unpack(packed)[split] or {}
  if split == 1 then table.insert(found, 1, block) end
  return found
end

local function without(performance, block, offset, count)
  local row = performance.rows[block]
  performance.rows[block] = string.sub(row, 1, offset) .. string.rep("h", count) .. string.sub(row, offset + count + 1)
  return row
end

local function split_in_two(performance, wish, split)
  local looks = 0
  for first = math.ceil(wish.k / 2), wish.k - 1 do
    local larger, smaller = part_of(wish, first), part_of(wish, wish.k - first)
    for _, class in ipairs(indexed_classes(wish.class)) do
      local base = segment(class, 1, first, performance.blocks, performance.categories)
      local next_block = candidates(performance, base, wish.mask)
      local block = next_block(0)
      while block and looks < LOOKS do
        looks = looks + 1
        local offset = try_block(performance, larger, block, 1)
        if offset then
          local row = without(performance, block, offset, first)
          for _, other in ipairs(neighbours_of(performance, block, split)) do
            looks = looks + 1
            local beside = is_allowed(wish.mask, other) and try_block(performance, smaller, other, 1)
            if beside then
              performance.rows[block] = row
              return {block, offset, first, other, beside, wish.k - first}
            end
          end
          performance.rows[block] = row
        end
        block = next_block(block + 1)
      end
    end
  end
  return nil
end

local function split_anywhere(performance, wish)
  local runs, kept, left, size = {}, {}, wish.k, wish.k - 1
  while left > 0 and size > 0 do
    size = math.min(size, left)
    if left - size == 1 and size > 2 then size = size - 1 end
    local block, offset = find_best(performance, part_of(wish, size))
    if block then
      kept[block] = kept[block] or performance.rows[block]
      without(performance, block, offset, size)
      local at = #runs
      runs[at + 1], runs[at + 2], runs[at + 3], left = block, offset, size, left - size
    else
      size = size - 1
    end
  end
  for block, row in pairs(kept) do performance.rows[block] = row end
  return left == 0 and runs or nil
end

local function find_split(performance, wish, most)
  for split = 1, math.min(most, 3) do
    local runs = split_in_two(performance, wish, split)
    if runs then return runs, split end
  end
  if most < 4 then return nil end
  return split_anywhere(performance, wish), 4
end
