-- A performance as this call sees it: rows are read once, changed in memory, and written by `settle`, so that
-- a refusal half way has changed nothing. `keys`: the performance, its index, its due holds.
--
-- In the performance's hash: n blocks, k categories, m areas, r longest return delay (ms), v version;
-- b<block> the row, a letter a seat (o h s b); c<block> "focus classes"; a<area> places open;
-- t<area> places sold; h<hold> a packed hold; o<owner> how much an owner has.
-- INCLUDES
local function draft(key, index, due)
  local values = redis.call("HMGET", key, "n", "k", "v", "r")
  if not values[3] then return nil end
  return {key = key, index = index, due = due, blocks = tonumber(values[1]), categories = tonumber(values[2]),
    version = tonumber(values[3]), return_ms = tonumber(values[4]), before = {}, rows = {}, described = {}, fields = {}}
end

local function read_block(performance, block)
  local row = performance.rows[block]
  if row then return row end
  local values = redis.call("HMGET", performance.key, "b" .. block, "c" .. block)
  if not values[1] then return nil end
  row = values[1]
  performance.before[block], performance.rows[block], performance.described[block] = row, row, values[2]
  return row
end

local function classes_of(performance, block)
  return string.match(performance.described[block], " (.+)")
end

local function put(performance, block, offset, count, state)
  local row = performance.rows[block]
  performance.rows[block] = string.sub(row, 1, offset) .. string.rep(state, count)
    .. string.sub(row, offset + count + 1)
end
