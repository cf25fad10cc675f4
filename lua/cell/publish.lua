-- Publishes documents of the house's catalogue (on-sales, performances, plans, keys) to every API process.
--
-- KEYS  cell catalogue
-- ARGV  epoch documents
-- REPLY published: version | fenced: stored_epoch
-- INCLUDES fence
-- FLAGS allow-oom
local cell, catalogue = KEYS[1], KEYS[2]
local epoch, documents = ARGV[1], cmsgpack.unpack(ARGV[2])

local refusal = fence(cell, epoch)
if refusal then return refusal end

for name, document in pairs(documents) do
  if document == "" then redis.call("HDEL", catalogue, name)
  else redis.call("HSET", catalogue, name, document) end
end
return {"published", redis.call("HINCRBY", cell, "catalogue", 1)}
