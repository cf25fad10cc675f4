-- Keeps an effect's answer beside the effect, so that a repeat gets the first answer again.
-- INCLUDES
local function remember(operation, fingerprint, seconds, reply)
  redis.call("SET", operation, cmsgpack.pack({fingerprint, reply}), "EX", seconds)
  return reply
end
