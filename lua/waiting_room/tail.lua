-- What the draw of a closed list is made of: the tree over the entrants as far as they are recorded or folded, a page of
-- those in the outbox who are not; once it is due also the secret and what others have contributed, both empty until
-- then. Whoever reads page after page takes the tree anew where it has grown: what it has meanwhile, the outbox may have
-- no more.
--
-- KEYS  sale outbox frontier folded
-- ARGV  on_sale line_name after count
-- WHERE entrants: index, secret hash, …; next: where the next page begins, empty behind the last
-- REPLY tail: count secret contributed frontier entrants next windows | early: due_at_ms | made | unknown_on_sale
-- INCLUDES clock of_line drawn leaves
-- FLAGS no-writes
local sale, outbox, frontier, folded = unpack(KEYS)
local on_sale, line_name, after, count = unpack(ARGV)

local told = drawn_as_written(sale, line_name)
if not told then return {"unknown_on_sale"} end
if told[6] ~= "" then return {"made"} end
if told[3] < 0 then return {"early", told[4]} end
local seed, contributed = "", ""
if clock() >= told[4] then
  seed = redis.call("HGET", sale, of_line("seed", line_name)) or ""
  contributed = redis.call("HGET", sale, of_line("revealed", line_name)) or ""
end

local tree = redis.call("GET", frontier) or ""
if after == "-" then
  -- Of what was folded, the tree has all: it begins behind that.
  local ahead = redis.call("HMGET", folded, "through", on_sale .. "/" .. line_name)
  if ahead[1] then after = "(" .. ahead[1] end
  if leaves_of(ahead[2]) > leaves_of(tree) then tree = ahead[2] end
end
local entrants = {}
local entries = redis.call("XRANGE", outbox, after, "+", "COUNT", count)
for _, entry in ipairs(entries) do
  local fields = {}
  for at = 1, #entry[2], 2 do fields[entry[2][at]] = entry[2][at + 1] end
  if fields.kind == "join" and fields.on_sale == on_sale and fields.line == line_name then
    entrants[#entrants + 1], entrants[#entrants + 2] = fields.index, fields.secret_hash
  end
end
local last = #entries == tonumber(count) and "(" .. entries[#entries][1] or ""
return {"tail", told[3], seed, contributed, tree, entrants, last, told[9]}
