-- What everybody may know of the draw of a line: {algorithm, commitment, entrants (-1 while more may join), due_at_ms,
-- secret, seed, root, contributions, windows, later}. Nothing that is secret is told before the draw has been made, which
-- is due so long after the list was closed as was published: others are waited for as long where the start was held up.
-- `line`: as `advance` knows it; `windows`: where each ends, the last one with the list; `later`: where those behind it
-- have ended. An on-sale that names no algorithm was put up by a release whose draw was made by its start, out of the
-- secret alone.
-- INCLUDES of_line
local EARLIEST_ALGORITHM = "parvis-feistel-1"

local function drawn(sale, name, line)
  local known = redis.call("HMGET", sale, "draw", "draw_after_ms", of_line("seed", name), of_line("commitment", name),
    of_line("drawn_seed", name), of_line("root", name), of_line("contributions", name),
    "fair_window_ms", of_line("windows", name), of_line("later", name),
    of_line("fixed_at_ms", name))
  local is_closed = line.phase ~= "scheduled" and line.phase ~= "prequeue" and line.mark_at_ms > 0
  local told = {known[1] or EARLIEST_ALGORITHM, known[4] or "", is_closed and line.entrants or -1,
    math.max(line.opens_at_ms, line.fixed_at_ms or tonumber(known[11]) or 0) + (tonumber(known[2]) or 0), "", "", "", "",
    is_closed and known[8] and (known[9] and known[9] .. " " or "") .. line.entrants or "", known[10] or ""}
  if is_closed and not known[1] then
    told[6] = known[3]
  elseif is_closed and known[6] then
    told[5], told[6], told[7], told[8] = known[3], known[5], known[6], known[7]
  end
  return told
end

-- The same for a line that stands as it was written.
local function drawn_as_written(sale, name)
  local written = redis.call("HMGET", sale, "phase", of_line("mark_at_ms", name), of_line("entrants", name),
    of_line("opens_at_ms", name))
  if not written[1] then return nil end
  return drawn(sale, name, {phase = name == "public" and written[1] or "open", mark_at_ms = tonumber(written[2]) or 0,
    entrants = tonumber(written[3]) or 0, opens_at_ms = tonumber(written[4]) or 0})
end
