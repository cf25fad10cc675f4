#!lua name=parvis_yardsticks
-- What our functions are measured against. Same KEYS and ARGV as ours, the least work that could be called the same.

-- Nothing at all.
redis.register_function("yardstick_nothing", function(keys, args) return "ok" end)

-- One write.
redis.register_function("yardstick_one_write", function(keys, args)
  return redis.call("HINCRBY", keys[1], "yardstick", 1)
end)

-- The writes that real calls made, in their order, undecided: learnt first, one call at a time as word count, words,
-- word count, words, …; then made again call by call.
local recorded, following = {}, 0

redis.register_function("yardstick_learn", function(keys, args)
  local calls, at = {}, 1
  while args[at] do
    local words = tonumber(args[at])
    calls[#calls + 1] = {unpack(args, at + 1, at + words)}
    at = at + words + 1
  end
  recorded[#recorded + 1] = calls
  return #recorded
end)

redis.register_function("yardstick_writes", function(keys, args)
  following = following % #recorded + 1
  local calls = recorded[following]
  for number = 1, #calls do redis.call(unpack(calls[number])) end
  return {"held", 0, following, args[7]}
end)

-- The best seats together by looking at one row after the other, and their release: no rule but that the seats are
-- free, and no more than the write that holds them and the one that lets them go.
local found

redis.register_function("yardstick_scan", function(keys, args)
  local key, item = keys[6], cmsgpack.unpack(args[7])[1]
  local wanted = string.rep("o", item[4])
  local blocks = tonumber(redis.call("HGET", key, "n"))
  for block = 0, blocks - 1 do
    local name = "b" .. block
    local row = redis.call("HGET", key, name)
    local from, to = string.find(row, wanted, 1, true)
    if from then
      found = {name, row}
      redis.call("HSET", key, name, string.sub(row, 1, from - 1) .. string.rep("h", item[4]) .. string.sub(row, to + 1))
      return {name, from}
    end
  end
  return "none"
end)

redis.register_function("yardstick_scan_release", function(keys, args)
  return redis.call("HSET", keys[4], unpack(found))
end)
