-- How often each code is used up, for the audit: a page of them, with where the next begins; at 0 there is none.
--
-- KEYS  cell
-- ARGV  cursor
-- REPLY used: sequence cursor counts
-- WHERE counts: packed [code, count, …]
-- INCLUDES
-- FLAGS no-writes
local A_PAGE = 1000
local page = redis.call("HSCAN", KEYS[1], ARGV[1], "MATCH", "u*", "COUNT", A_PAGE)
local counts = {}
for place = 1, #page[2], 2 do
  counts[place], counts[place + 1] = string.sub(page[2][place], 2), tonumber(page[2][place + 1])
end
return {"used", tonumber(redis.call("HGET", KEYS[1], "sequence") or 0), page[1], cmsgpack.pack(counts)}
