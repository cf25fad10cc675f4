-- What is known of an allotment by its letter, see `aside`; or false.
-- INCLUDES
local function set_aside(performance, letter)
  local stored = redis.call("HGET", performance.key, "l" .. letter)
  return stored and cmsgpack.unpack(stored)
end
