-- Every hold of a performance, for the audit: id, packed hold, id, packed hold, …; and its owners' counts.
--
-- KEYS  performance due
-- ARGV
-- REPLY holds: fields due
-- INCLUDES
-- FLAGS no-writes
local fields = {}
local all = redis.call("HGETALL", KEYS[1])
for place = 1, #all, 2 do
  if string.find(all[place], "^[ho]") then
    fields[#fields + 1], fields[#fields + 2] = all[place], all[place + 1]
  end
end
return {"holds", fields, redis.call("ZRANGE", KEYS[2], 0, -1, "WITHSCORES")}
