-- States anew how often each code is used up, or how many seats of a performance each customer has bought, by what the
-- ledger knows: after a loss, while the gate is closed and every hold has ended.
--
-- KEYS  cell hash
-- ARGV  epoch prefix is_first counts
-- WHERE hash: the cell's own, for codes, or a performance's; prefix: `u` of codes, `p` of customers; counts: packed
--       [name, count, …]; is_first: 1 where what is counted there until now is forgotten, 0 where this goes on
-- REPLY recounted | fenced: stored_epoch
-- INCLUDES fence
-- FLAGS allow-oom
local cell, hash = unpack(KEYS)
local epoch, prefix, is_first, counts = unpack(ARGV)

local refusal = fence(cell, epoch)
if refusal then return refusal end

if is_first == "1" then
  for _, field in ipairs(redis.call("HKEYS", hash)) do
    if string.sub(field, 1, 1) == prefix then redis.call("HDEL", hash, field) end
  end
end
counts = cmsgpack.unpack(counts)
for at = 1, #counts, 2 do redis.call("HSET", hash, prefix .. counts[at], counts[at + 1]) end
return {"recounted"}
