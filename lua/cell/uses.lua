-- How often codes are used up, together: for seats that are held by them, and that are sold.
--
-- KEYS  cell
-- ARGV  codes
-- WHERE codes: packed [code, …]
-- REPLY uses: count
-- INCLUDES
-- FLAGS no-writes
local count = 0
for _, code in ipairs(cmsgpack.unpack(ARGV[1])) do
  count = count + (tonumber(redis.call("HGET", KEYS[1], "u" .. code)) or 0)
end
return {"uses", count}
