-- When a hold ends, in its fullness: whoever has left and does something with it all the same has the end that it had.
-- INCLUDES
local function end_of(record)
  return (record[9] or 0) > 0 and record[9] or record[2]
end
