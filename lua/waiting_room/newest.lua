-- Whether a pass is still its place's newest, and until when it opens anything: another device may have gone on with it
-- since, or it ended sooner than it says, as whoever had it left, or all passes were stopped.
--
-- KEYS  live
-- ARGV  place
-- WHERE place: see `pass_of`
-- REPLY here: expires_at_ms | moved | pass_ended
-- INCLUDES clock pass_of
-- FLAGS no-writes
local _, expires_at_ms, has_moved = find_pass(KEYS[1], ARGV[1])
if has_moved then return {"moved"} end
if expires_at_ms <= clock() then return {"pass_ended"} end
return {"here", expires_at_ms}
