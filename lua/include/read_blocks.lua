-- The rows of many blocks of a draft at once, as they stand in it, kept there or only looked at.
-- INCLUDES known
local function keep_row(performance, block, row)
  if performance.rows[block] then return end
  performance.rows[block], performance.before[block] = row, row
end

local function rows_of(performance, blocks)
  local names, known = {}, performance.rows
  if #blocks == 0 then return names end
  for at = 1, #blocks do names[at] = ROW_FIELD[blocks[at]] or row_field(blocks[at]) end
  local rows = redis.call("HMGET", performance.key, unpack(names))
  if next(known) then
    for at = 1, #blocks do rows[at] = known[blocks[at]] or rows[at] end
  end
  return rows
end

local function read_blocks(performance, blocks)
  local unread, known = {}, performance.rows
  for at = 1, #blocks do
    if not known[blocks[at]] then unread[#unread + 1] = blocks[at] end
  end
  local rows = rows_of(performance, unread)
  for at = 1, #unread do keep_row(performance, unread[at], rows[at]) end
end
