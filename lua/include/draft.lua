-- A performance as this call sees it: rows are read once, changed in memory, and written by `settle`, so that
-- a refusal half way has changed nothing. `owner`, where one is meant: what they have, and their unpaid holds, are
-- read along, and so is the record of a `hold`.
--
-- In the performance's hash: n blocks, k categories, m areas, r longest return delay (ms), v version, f open seats;
-- b<block> the row, a letter a seat (o h s b, or the capital of the allotment that it is set aside for);
-- c<block> "focus classes"; g<block> its neighbours, see `find_split`; a<area> places open; t<area> places sold;
-- l<letter> an allotment, l the letters of those that live, see `aside`; x the units that are released by and by, q when
-- the next of all these is, see `release_due`; h<hold> a packed hold; o<owner> how much an owner has; w<owner> its
-- unpaid holds.
-- INCLUDES known
local NOBODY = {}

local function draft(key, index, due, step, owner, hold)
  local own = owner and {"o" .. owner, "w" .. owner, hold and "h" .. hold} or NOBODY
  local values = redis.call("HMGET", key, "n", "k", "v", "r", "f", "q", unpack(own))
  if not values[3] then return nil end
  return {key = key, index = index, due = due, step = step, blocks = number_in(values[1]),
    categories = number_in(values[2]), version = tonumber(values[3]), return_ms = number_in(values[4]),
    open = tonumber(values[5]) or 0, release_at_ms = tonumber(values[6]) or math.huge,
    owned = tonumber(values[7]) or 0, unpaid = values[8], stored = values[9],
    before = {}, rows = {}, described = {}, moved = {}, touched = {}, segments = {},
    -- With room for a hold of one run, so that they need not grow.
    fields = {nil, nil, nil, nil, nil, nil, nil, nil, nil, nil}, changes = {nil, nil, nil, nil}}
end

local function read_block(performance, block)
  local row = performance.rows[block]
  if row then return row end
  local values = redis.call("HMGET", performance.key, row_field(block), description_field(block))
  if not values[1] then return nil end
  row = values[1]
  performance.before[block], performance.rows[block], performance.described[block] = row, row, values[2]
  return row
end

-- A block's row as a request found it: what it gives up for it in the same step, see `give_up`, is open there already.
local function found_row(performance, block)
  return performance.freed and performance.freed[block] or performance.before[block]
end

-- What is fixed of a block, as it was installed: "focus classes".
local function description_of(performance, block)
  local text = performance.described[block]
  if not text then
    text = redis.call("HGET", performance.key, description_field(block))
    performance.described[block] = text
  end
  return text
end

local function classes_of(performance, block)
  return parts_in(description_of(performance, block))[2]
end

local function overwrite(performance, block, offset, count, state)
  local row = performance.rows[block]
  performance.rows[block] = string.sub(row, 1, offset) .. string.rep(state, count)
    .. string.sub(row, offset + count + 1)
  performance.touched[#performance.touched + 1] = block
end

-- `count` seats that are all in one state now.
local function put(performance, block, offset, count, state)
  local changes = performance.changes
  if string.byte(performance.rows[block], offset + 1) == 111 then performance.open = performance.open - count end
  if state == "o" then performance.open = performance.open + count end
  overwrite(performance, block, offset, count, state)
  local at = #changes
  changes[at + 1], changes[at + 2], changes[at + 3], changes[at + 4] = block, offset, count, state
end
