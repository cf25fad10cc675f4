-- Lays out a performance, a chunk of blocks at a time; the chunk that is `last` makes it sellable.
--
-- KEYS  cell performance index
-- ARGV  epoch first blocks categories return_ms areas curve last
-- WHERE blocks: packed [["focus classes", row, neighbours], …] from block `first` on, neighbours as
--       `find_split` reads them, or none; areas: packed [open, …];
--       curve: packed [[at_ms, percent, …], [block, …]], when so many per cent of which units are released, see
--       `release_due`, or empty
-- REPLY installed: blocks | exists | fenced: stored_epoch
-- INCLUDES fence reindex
-- FLAGS allow-oom
local cell, key, index = unpack(KEYS)
local epoch, first, blocks, categories, return_ms, areas, curve, last = unpack(ARGV)

local refusal = fence(cell, epoch)
if refusal then return refusal end
if redis.call("HEXISTS", key, "v") == 1 then return {"exists"} end

blocks = cmsgpack.unpack(blocks)
if tonumber(first) == 0 then redis.call("HSET", key, "f", 0) end
local performance = {blocks = tonumber(last), categories = tonumber(categories)}
for place, block in ipairs(blocks) do
  local number, description, row = first + place - 1, block[1], block[2]
  local classes = string.match(description, " (%a+)$")
  local changes = {}
  reindex(changes, performance, number, classes, string.rep("s", #row), row)
  redis.call("HSET", key, "c" .. number, description, "b" .. number, row)
  if block[3] then redis.call("HSET", key, "g" .. number, cmsgpack.pack(block[3])) end
  local _, open = string.gsub(row, "o", "")
  redis.call("HINCRBY", key, "f", open)
  if #changes > 0 then redis.call("BITFIELD", index, unpack(changes)) end
end
if first + #blocks < performance.blocks then return {"installed", first + #blocks} end
areas = cmsgpack.unpack(areas)
for area, open in ipairs(areas) do redis.call("HSET", key, "a" .. (area - 1), open) end
if curve ~= "" then redis.call("HSET", key, "x", curve, "q", cmsgpack.unpack(curve)[1][1]) end
redis.call("HSET", key, "n", last, "k", categories, "m", #areas, "r", return_ms, "v", 1)
return {"installed", performance.blocks}
