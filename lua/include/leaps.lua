-- Arrival indices that a recovery leapt over are nobody's, and their turns cost the pace nothing. Those behind the draw are
-- passed over as they are reached; those in the draw are somewhere among its positions, and taken to be spread evenly.
-- `leaps` of a line: each run of them, `first behind …`, in order; nil where nothing was ever lost. `engine/leaps.py` does
-- the same sums.
-- INCLUDES
local leaps = {} -- one name for all of them: Lua has 200 locals at a time

function leaps.pieces_of(line)
  if line.pieces then return line.pieces end
  local pieces, in_draw = {}, 0
  for first, behind in string.gmatch(line.leaps, "(%d+) (%d+)") do
    first, behind = tonumber(first), tonumber(behind)
    in_draw = in_draw + math.min(behind, line.entrants) - math.min(first, line.entrants)
    first = math.max(first, line.entrants)
    if first < behind then pieces[#pieces + 1] = {first = first, behind = behind, nobodies = behind - first} end
  end
  if in_draw > 0 then table.insert(pieces, 1, {first = 0, behind = line.entrants, nobodies = in_draw}) end
  line.pieces = pieces
  return pieces
end

-- How many stand before a position whom somebody may be.
function leaps.persons_before(line, position)
  if not line.leaps then return position end
  local persons = position
  for _, piece in ipairs(leaps.pieces_of(line)) do
    local length = math.min(position, piece.behind) - piece.first
    if length > 0 then persons = persons - math.ceil(length * piece.nobodies / (piece.behind - piece.first)) end
  end
  return persons
end

function leaps.waiting_in(line)
  return leaps.persons_before(line, line.callable or line.joined) - leaps.persons_before(line, line.now_serving)
end

-- Calls so many more persons, and passes over what is nobody's in front of the next. Answers whether the line moved.
function leaps.call(line, due)
  local place, left, before = 0, due, line.now_serving
  if not line.leaps then
    line.now_serving = before + due
    return due > 0
  end
  left = left + leaps.persons_before(line, before)
  for _, piece in ipairs(leaps.pieces_of(line)) do
    local length = piece.behind - piece.first
    local persons = length - piece.nobodies
    if left < piece.first - place then break end
    left, place = left - (piece.first - place), piece.first
    if left < persons then
      left = math.ceil(left * length / persons)
      break
    end
    left, place = left - persons, piece.behind
  end
  line.now_serving = math.max(before, place + left)
  return line.now_serving > before
end
