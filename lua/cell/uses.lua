-- How often codes are used up, together: for seats that are held by them, and that are sold; or for places in a line.
--
-- KEYS  cell persons
-- ARGV  codes places
-- WHERE codes: packed [code, …]; places: packed [name, …], under which `waiting_room/join` remembers whose a code was
-- REPLY uses: count
-- INCLUDES
-- FLAGS no-writes
local count = 0
for _, code in ipairs(cmsgpack.unpack(ARGV[1])) do
  count = count + (tonumber(redis.call("HGET", KEYS[1], "u" .. code)) or 0)
end
for _, name in ipairs(cmsgpack.unpack(ARGV[2])) do
  count = count + redis.call("HEXISTS", KEYS[2], name)
end
return {"uses", count}
