-- Whether a pass is still its place's newest: another device may have gone on with it since.
--
-- KEYS  live
-- ARGV  place
-- WHERE place: see `pass_of`
-- REPLY here | moved
-- INCLUDES pass_of
-- FLAGS no-writes
local _, _, has_moved = member_of(KEYS[1], ARGV[1])
return {has_moved and "moved" or "here"}
