-- The whole catalogue as name, document, name, document, ….
--
-- KEYS  cell catalogue
-- ARGV
-- REPLY catalogue: version documents
-- INCLUDES
-- FLAGS no-writes
local version = redis.call("HGET", KEYS[1], "catalogue") or "0"
return {"catalogue", version, redis.call("HGETALL", KEYS[2])}
