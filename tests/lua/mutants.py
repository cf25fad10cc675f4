"""Mutants: what a slip of the hand could do to the scripts of seats and orders, and whether the tests see it.

`make mutants` tries those that `tests/lua/README.md` does not tell as killed and writes each outcome there as soon as it
is known, so that it can be stopped and go on; `make mutants MUTANTS=hold` tries those whose file or effect says so again,
`MUTANTS=/` all. Each is one text put in another's place, in a copy of the tree; the tests of the same name come first.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
README = Path(__file__).parent / "README.md"
COPIED = ("api", "engine", "lua", "tests", "loadtests", "deploy", "pyproject.toml")
ASKED = (
    *("tests/lua/seats", "tests/lua/orders", "tests/lua/include/test_find_best.py", "tests/lua/include/test_settle.py"),
    *("tests/lua/include/test_wishes.py", "tests/lua/include/test_release_due.py", "tests/lua/test_every_script.py"),
    "tests/property/test_machine.py",
)
AT_ONCE = 2
MEMORY = Path("/dev/shm")
ABOUT = """# Tests of the scripts

One file a script, under its own path: `lua/seats/hold.lua` is tried in `seats/test_hold.py`, on a real Redis, in scenes
that are drawn (`"A: . h1 s2"`, see `drawing.py`). What holds for every script alike is in `test_every_script.py`, and
of rights in `test_rights.py`; long walks at random against a model and the auditor are in `tests/property/walk/`.

## Mutants

What a slip of the hand could do, from `mutants.py`, each with the test that failed first. `make mutants` tries those that
are not told as killed here and writes this page; the list keeps in step with the scripts (`test_mutants.py`).

"""
HEAD = """| In `lua/` | What it breaks | Outcome | By |
|---|---|---|---|
"""
ROW = re.compile(r"^\| `(.+?)` \| (.+?) \| (\w[\w ]*) \| (?:`(.*)`)? \|$", re.MULTILINE)
FIRST_FAILURE = re.compile(r"^(FAILED|ERROR) (\S+?\.py(?:::\w+)?)", re.MULTILINE)


class Mutant(NamedTuple):
    """In `file`, a path in `lua/` without its ending, `right` (it occurs once) becomes `wrong`."""

    file: str
    right: str
    wrong: str
    breaks: str

    @property
    def path(self) -> Path:
        return Path("lua") / f"{self.file}.lua"


class Outcome(NamedTuple):
    """`word`: killed, survived, or broken where the library does not even load or the text is not there."""

    word: str
    by: str


UNTRIED = Outcome("not tried yet", "")
M = Mutant
MUTANTS = (
    # Who owns a hold, and until when.
    M("seats/release", "performance.hold[1] ~= owner", "false", "anybody may let go of a hold"),
    M("seats/extend", "performance.hold[1] ~= owner", "false", "anybody may extend a hold"),
    M("seats/extend", "performance.hold[2] <= step.now", "false", "a hold that is over is extended"),
    M("seats/extend", "performance.hold[5] == 1", "false", "a hold is extended again and again"),
    M("seats/extend", "record[8] or math.huge", "math.huge", "a hold outlives its longest life"),
    M(
        "seats/extend",
        'redis.call("ZADD", performance.due, expires_at_ms, hold)',
        "",
        "an extended hold ends as before",
    ),
    M("orders/confirm", "record[2] <= step.now", "false", "a hold that is over is sold"),
    M("orders/confirm", 'owner ~= "" and record[1] ~= owner', "false", "anybody may buy what another holds"),
    M("orders/confirm", 'record[1] == ""', "false", "what only waits to come back is sold"),
    M("orders/await", 'owner ~= "" and record[1] ~= owner', "false", "anybody may keep another's hold"),
    M("orders/await", "record[2] <= now", "false", "a hold that is over is kept for a payment"),
    M("orders/await", "if record[5] == 0 then", "if true then", "a hold is kept for a payment again and again"),
    M("include/own_holds", "record[1] == owner or", "true or", "a late payment takes another's hold away"),
    M("include/sweep", '"-inf", now', '"-inf", "+inf"', "a hold ends before its time"),
    M("include/sweep", '"LIMIT", 0, limit', '"LIMIT", 0, limit + 1', "one hold more is swept than was asked for"),
    # What is taken is taken.
    M("include/take", 'is_free = letter ~= "" and', "is_free = true or", "named seats are held without a look"),
    M("include/take", "item[at + 1] ~= offset + count", "false", "a run goes on where no neighbour was named"),
    M("include/curve", "if steps[at] > now then", "if true then", "a release of the past is told anew"),
    M("include/take", "if missing[block] > 0 then", "if false then", "a unit is named in part"),
    M("include/take", '" %l+$"', '" %a+$"', "a part of a row is taken for a part of a unit"),
    M("include/take", "if open < count then", "if open + 1 < count then", "an area gives one place too many"),
    M("include/take", "- (places[area] or 0)", "", "one request takes the same places twice"),
    M(
        "include/choose",
        "performance.owned > limit then",
        "performance.owned > limit + 1 then",
        "the limit is off by one",
    ),
    M("include/choose", "#taken > 0", "#taken > 3", "one taken seat is let pass"),
    M("include/write_hold", "performance.owned\n", "0\n", "what an owner has is not counted"),
    M(
        "include/write_hold",
        'redis.call("ZADD", performance.due, expires_at_ms, hold)',
        "",
        "a hold never ends by itself",
    ),
    M("include/write_hold", "-count, 0)", "0, 0)", "held places stay open"),
    M("include/may_shop", "<= now then", "< 0 then", "a pass that has ended still opens the shop"),
    M("include/may_shop", 'phase == "closed"', "false", "a closed sale still sells"),
    # Written once, in order, and all of it.
    M("include/settle", "reindex(changes,", "type(changes,", "the index is not updated"),
    M("include/settle", "before, row)", "row, before)", "the index is told the rows in the wrong order"),
    M(
        "include/settle",
        '"v", performance.version + 1',
        '"v", performance.version',
        "a change has no version of its own",
    ),
    M("include/settle", '"f", performance.open', '"f", performance.version', "open seats are not counted"),
    M(
        "include/settle",
        "first + UNPACKED_AT_ONCE - 1, #changes",
        "UNPACKED_AT_ONCE, #changes",
        "a large change is cut off",
    ),
    M("include/draft", "performance.open = performance.open - count", "", "a held seat still counts as open"),
    M(
        "include/draft",
        "string.sub(row, offset + count + 1)",
        "string.sub(row, offset + count + 2)",
        "a row loses a seat",
    ),
    M("include/put_sold", 'record[3][place + 2], "s")', '1, "s")', "of a run only the first seat is sold"),
    M("include/put_sold", ', "w" .. record[1]', "", "whoever pays still cools down"),
    M("include/put_sold", 'redis.call("ZREM", performance.due, hold)', "", "what was sold is swept"),
    M(
        "include/put_sold",
        '{"v", performance.version + 1}',
        '{"v", performance.version}',
        "a sale has no version of its own",
    ),
    M(
        "orders/confirm",
        "write_sold(performance)",
        "",
        "a sale leaves its seats held",
    ),
    M("include/write_order", 'redis.call("SET", payment, order, "EX", 86400)', "", "one payment buys two orders"),
    M("orders/confirm", "if paid_for and paid_for ~= order", "if false", "a payment of another order is taken"),
    M("orders/confirm", 'redis.call("ZREM", live, place)', "type(live)", "the pass outlives the order"),
    M("include/remember", "return reply", "return {reply[1]}", "the first answer is cut short"),
    M("include/recall", "record[1] ~= fingerprint", "false", "an operation's id serves two payloads"),
    M("include/step", "if not step.sequence then", "if true then", "one call takes two numbers"),
    M(
        "include/sequence",
        'redis.call("HINCRBY", cell, "sequence", 1)',
        'tonumber(redis.call("HGET", cell, "sequence")) + 1',
        "numbers are given twice",
    ),
    M(
        "include/gate",
        'if open then return {"fenced", open} end',
        "if open then return nil end",
        "a process of another epoch goes on",
    ),
    M("include/fence", "if stored == epoch", "if true", "whoever prepares a cell need not know its epoch"),
    M("seats/release", "  settle(performance)\n", "", "what was let go stays held"),
    # Set aside.
    M("seats/allot", 'state ~= "o" and', "false and", "a seat that somebody has is set aside"),
    M("seats/allot", "if open < areas[at + 1]", "if open + 1 < areas[at + 1]", "a share has a place too many"),
    M("seats/allot", "if known and known[1] == name then", "if false then", "what is set aside again is refused"),
    M("seats/open", "known and known[1] == name", "known", "an allotment of another name is ended"),
    M("include/take", 'if letters == "" then letters = "o" end', 'letters = letters .. "o"', "a partner sells to all"),
    M("include/put_sold", "area_of(performance, record[4][place])", "record[4][place]", "a sold place is of no area"),
    M("include/aside", "count_places(performance, area, open, sold)", "", "the places of an ended share are lost"),
    M("include/aside", "sold - count, -sold", "-count, 0", "a restored share takes its sold places twice"),
    M("include/release_due", "at_ms > 0 and at_ms <= now", "at_ms <= now", "what is kept for ever is released"),
    M("include/release_due", "at_ms > 0 and at_ms <= now", "at_ms > 0", "an allotment is released with another"),
    M("include/release_due", "is_held and not", "false and not", "a bay held at the last step is never released"),
    M("include/curve", "for at = #blocks, 1, -1", "for at = 1, #blocks", "the best bays are released first"),
    M("include/curve", "* percent / 100", "", "all bays are released at the first step"),
    M("include/curve", "block, general, gone, written", "block, general, gone, gone", "a released bay is not found"),
    M("include/is_sold_out", "if record[2] == 0 then return false end", "", "house seats keep a sale open"),
    M(
        "include/share",
        "is_allowed(wish.mask, block)",
        "block",
        "of a share more is taken than is wished for",
    ),
    # Coming back.
    M("include/free_hold", "-codes[place + 1])", "-2 * codes[place + 1])", "a code comes back twice"),
    M("include/free_hold", 'if owner ~= "" then\n', "do\n", "what waits to come back is let go a second time"),
    M("include/free_hold", "-count) <= 0", "1 - count) <= 0", "what was let go counts against its owner"),
    M("include/free_hold", "if performance.return_ms > 0 then", "if false then", "seats come back at once"),
    M(
        "include/free_hold",
        "step.now + 1 + (step.microseconds * 7919) % performance.return_ms",
        "step.now + performance.return_ms",
        "seats come back at a known instant",
    ),
    M("include/free_hold", "areas, 0, returns_to})", 'areas, 0, ""})', "what waits forgets where it came from"),
    M(
        "include/free_hold",
        "came_from(performance, record[6], (place + 2) / 3)",
        '"o"',
        "an allotment's seats come back to the public",
    ),
    M(
        "include/aside",
        '== 1 and letter or "o"',
        "== 1 and letter or letter",
        "seats come back to an allotment that is gone",
    ),
    M(
        "include/free_hold",
        'verb == "expire" or verb == "release"',
        'verb == "expire"',
        "letting go unpaid is not counted",
    ),
    M("include/free_hold", "before + 1 ..", "before + 2 ..", "one unpaid hold counts as two"),
    M("include/free_hold", 'redis.call("ZREM", performance.due, hold)', "", "what came back is swept again"),
    M(
        "include/history",
        "moved[at + 1], moved[at + 2], moved[at + 3] = area, open, sold",
        "",
        "the history does not tell of places",
    ),
    M("include/history", "performance.changes, performance.moved = {}, {}", "", "the history tells a change twice"),
    M("include/history", '== "key:"', '== "kez:"', "staff are taken for visitors"),
    M(
        "include/draft",
        "= block, offset, count, state",
        "= block, offset, 1, state",
        "the history tells of one seat a run",
    ),
    M("include/come_back", "if found.is_gone[item]", "if false", "an order is returned twice"),
    M("include/come_back", '~= string.rep("s", seats[place + 2])', '== ""', "seats come back that are not sold"),
    M("include/come_back", "if sold < areas[place + 1]", "if false", "places come back that are not sold"),
    M("include/come_back", '"takings", -total', '"takings", 0', "a refund stays among the takings"),
    M("include/come_back", "0, -areas[place + 1])", "0, 0)", "a returned place stays sold"),
    M("include/come_back", "> LONGEST_LAG_MS", "> 2 * LONGEST_LAG_MS", "a ledger too far behind is believed"),
    M("orders/exchange", "if not is_sold(performances[back[1]], back[2])", "if false", "what was not sold goes"),
    M("orders/exchange", "record[1] ~= owner or", "false or", "somebody else's hold is taken in exchange"),
    M("orders/exchange", "or record[2] <= step.now", "", "a hold that has ended is taken in exchange"),
    M("orders/exchange", "if is_returned(found, items)", "if false", "an item is exchanged twice"),
    M(
        "orders/rebook",
        '"^[o" .. (letters',
        '"^[^s" .. (letters',
        "a late payment takes a held seat",
    ),
    M("orders/rebook", "if owned > limit", "if false", "whoever pays late gets more than the limit"),
    M("orders/rebook", "+ back < 0", "< 0", "a late payment finds places that are gone"),
    M("orders/forgo", 'if paid_for and paid_for ~= ""', "if false", "a payment that bought an order is given up"),
    M("orders/conflict", "if paid_for and paid_for ~= order", "if false", "a payment of another order is in conflict"),
    M("seats/restore", "performance.return_ms = 0", "", "a hold from before a loss comes back after it"),
    M("seats/restore", "known - sold)", "0)", "restored places stay open"),
    M("seats/restore", '== "s" then put', '~= "" then put', "what was returned opens a blocked seat"),
    M("seats/install", 'string.gsub(row, "o", "")', 'string.gsub(row, "%a", "")', "blocked seats count as open"),
    M(
        "seats/install",
        '== 1 then return {"exists"} end',
        '== 2 then return {"exists"} end',
        "a hall is laid out a second time",
    ),
    M("seats/snapshot", "math.min(first + 999, blocks - 1)", "first + 998", "a snapshot loses a block"),
    # Rules: seats left alone, cool-down, codes.
    M("include/strands", "if performance.open <= last", "if false", "the last seats of a hall obey the rule"),
    M("include/strands", "if rule == 2", "if true", "another row is offered where only the same counts"),
    M(
        "include/pick",
        "(byte(was, at) == 111 or byte(was, at + 2) == 111) and",
        "",
        "a seat that was alone before is counted",
    ),
    M(
        "include/pick",
        ' and find(classes, "^%u", at) then return at - 1 end',
        " then return at - 1 end",
        "an access place counts as left alone",
    ),
    M(
        "include/pick",
        "if alone == 0 then break end",
        "break",
        "the nearest seats are taken though they leave one alone",
    ),
    M(
        "include/pick",
        "local ideal = focus - (k - 1) / 2",
        "local ideal = focus - k / 2",
        "the middle of a party is off by half a seat",
    ),
    M("include/choose", 'lone_rule > 0 and place ~= ""', "lone_rule > 0", "staff obey the rule against lone seats"),
    M("include/codes", "used + count > most", "used + count > most + 1", "a code is used once too often"),
    M("include/codes", "math.max(0, most - used)", "most", "a refused code tells too many left"),
    M("orders/rebook", "write_codes(cell, uses)", "", "a late order uses no code"),
    M("include/own_holds", "- codes[at + 1]", "", "a late order uses its code twice"),
    M("include/bought", "before + count > most", "before + count > most + 1", "a customer buys one seat too many"),
    M(
        "orders/confirm",
        "note_bought(performance, mark, performance.buys or 0)",
        "",
        "what a customer buys is not counted",
    ),
    M("orders/rebook", "note_bought(performance, mark, performance.buys)", "", "what is bought late is not counted"),
    M(
        "include/come_back",
        'note_bought(performance, part[9] or "", -count)',
        "",
        "what comes back stays counted",
    ),
    M("cell/recount", 'if is_first == "1"', "if false", "what was counted before a loss is counted twice"),
    M("include/may_shop", "performance.step.now < until_ms", "false", "nobody cools down"),
    M(
        "include/may_shop",
        "tonumber(count) >= terms[5]",
        "tonumber(count) > terms[5]",
        "one unpaid hold more before the cool-down",
    ),
    # Choosing the best.
    M("include/candidates", "set = band(set, byte(mask, place) or 0)", "set = set", "a mask is ignored"),
    M(
        "include/candidates",
        "return bit.band(byte, 2 ^ (7 - block % 8)) ~= 0",
        "return true",
        "a split ignores the mask",
    ),
    M("include/runs", "length == k or length >= k + 2", "length >= k", "the index knows nobody who is left alone"),
    M("include/runs", "if first == 1 then", "if true then", "the index takes any seat for an end"),
    M("include/reindex", "and 1 or 0", "and 0 or 1", "the index says the contrary"),
    M("include/reindex", "seen[class] = true\n    place", "place", "the index knows one class of a row"),
    M("include/runs", 'class == "" and "%u+"', 'class == "" and "%a+"', "a general request finds access places"),
    M(
        "include/is_sold_out",
        'if redis.call("ZCARD", performance.due) > 0 then return false end',
        "",
        "sold out though a hold may come back",
    ),
    M(
        "include/is_sold_out",
        "2 * performance.categories",
        "performance.categories",
        "sold out though access places are open",
    ),
    M("include/find_split", "if wish.unit then return nil end", "", "a unit is split"),
    M("seats/replan", "if #move.missing > 0 then", "if false then", "a seat that the new plan lacks is forgotten"),
    M(
        "include/places",
        'elseif letter ~= "o" and letter ~= "b" then',
        'elseif letter == "s" then',
        "a held seat that the new plan lacks is forgotten",
    ),
    M(
        "include/move",
        "to - 1 - move.first[block]",
        "to - move.first[block]",
        "a hold moves to the seat beside its own",
    ),
    M(
        "include/move",
        "if to == next_to and block == seats[last - 2] then",
        "if to == next_to then",
        "a hold's run goes on over an aisle",
    ),
    M("seats/replan", 'redis.call("UNLINK", key, index, due)\n', "", "the old plan can be sold from too"),
    M(
        "seats/replan",
        'for at = 1, #ends, 2 do redis.call("ZADD", to_due, ends[at + 1], ends[at]) end\n',
        "",
        "holds never end under the new plan",
    ),
    M(
        "seats/replan",
        'if fields["a" .. (number - 1)] + area[2] < 0 then',
        "if false then",
        "an area has fewer places than are taken",
    ),
    M("include/move", "fields.v + 1", "fields.v", "a new plan keeps the version of the old"),
    M("seats/replan", 'redis.call("HINCRBY", cell, "catalogue", 1)\n', "", "nobody is told of the new plan"),
    M(
        "seats/replan",
        'if is_quiet(cell, step.now) then return {"closed"} end\n',
        "",
        "a plan changes while lost orders are sold again",
    ),
    M(
        "seats/replan",
        'string.rep("s", #row), row)',
        'string.rep("o", #row), row)',
        "the new plan's index begins as if all were open",
    ),
    M(
        "include/move",
        "if record[6] then record[6] = letters end\n",
        "",
        "what comes back after a change of plan goes to another allotment",
    ),
    M("include/move", "if not is_unit[block] then", "if is_unit[block] then", "released units are units again"),
)


def in_step(mutant: Mutant, source: str) -> str:
    """The source with the mutation. Raises `ValueError` where the text is not there exactly once."""
    if source.count(mutant.right) != 1:
        raise ValueError(f"{mutant.path}: {mutant.right!r} is there {source.count(mutant.right)} times")
    return source.replace(mutant.right, mutant.wrong)


def _tests_for(mutant: Mutant) -> list[str]:
    folder, name = mutant.file.split("/")
    own = f"tests/lua/{folder}/test_{name}.py"
    return [own, *ASKED] if (ROOT / own).exists() else list(ASKED)


def _environment(tree: Path) -> dict[str, str]:
    # Where nothing is written to a disk, each call answers ten times sooner.
    folder = {"TMPDIR": str(MEMORY)} if MEMORY.is_dir() else {}
    return {**os.environ, **folder, "PYTHONPATH": str(tree), "PARVIS_OPERATIONS": "4000", "PARVIS_SEED": "1"}


def attempt(tree: Path, mutant: Mutant) -> Outcome:
    """Tries a mutant in its own copy of the tree, and leaves that as it was."""
    path = tree / mutant.path
    source = path.read_text()
    try:
        path.write_text(in_step(mutant, source))
    except ValueError as error:
        return Outcome("broken", str(error))
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-x", "-rfE", "--tb=no", "--no-header", *_tests_for(mutant)],
            cwd=tree,
            env=_environment(tree),
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        path.write_text(source)
    failure = FIRST_FAILURE.search(done.stdout)
    if done.returncode == 0:
        return Outcome("survived", "")
    if failure is None or failure[1] == "ERROR":
        return Outcome("broken", failure[2] if failure else done.stdout[-200:])
    return Outcome("killed", failure[2].removeprefix("tests/"))


@contextmanager
def _trees(count: int) -> Iterator[Queue[Path]]:
    free: Queue[Path] = Queue()
    with tempfile.TemporaryDirectory(prefix="pm-") as folder:
        for number in range(count):
            tree = Path(folder) / str(number)
            tree.mkdir()
            for name in COPIED:
                if (ROOT / name).is_dir():
                    shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    shutil.copy(ROOT / name, tree / name)
            free.put(tree)
        yield free


def try_all(mutants: Sequence[Mutant]) -> Iterator[tuple[Mutant, Outcome]]:
    """The outcome of each, as it becomes known."""
    with _trees(AT_ONCE) as free, ThreadPoolExecutor(AT_ONCE) as pool:

        def run(mutant: Mutant) -> tuple[Mutant, Outcome]:
            tree = free.get()
            try:
                return mutant, attempt(tree, mutant)
            finally:
                free.put(tree)

        for each in as_completed([pool.submit(run, mutant) for mutant in mutants]):
            yield each.result()


def told(page: str) -> dict[tuple[str, str], Outcome]:
    """What the page says of each mutant, by its file and what it breaks."""
    return {(file, breaks): Outcome(word, by or "") for file, breaks, word, by in ROW.findall(page)}


def page_of(outcomes: Mapping[tuple[str, str], Outcome]) -> str:
    """The text of `README.md`: all mutants, in the order of the list."""
    known = [outcomes.get((mutant.file, mutant.breaks), UNTRIED) for mutant in MUTANTS]
    killed = sum(outcome.word == "killed" for outcome in known)
    rows = "\n".join(
        f"| `{mutant.file}` | {mutant.breaks} | {outcome.word} | {f'`{outcome.by}`' if outcome.by else ''} |"
        for mutant, outcome in zip(MUTANTS, known, strict=True)
    )
    return f"{ABOUT}{killed} of {len(MUTANTS)} are killed.\n\n{HEAD}{rows}\n"


def main(words: Sequence[str]) -> int:
    """Tries the mutants that a word names, else those that are not told as killed. Answers how many were not killed."""
    outcomes = told(README.read_text())
    chosen = [
        m
        for m in MUTANTS
        if any(word in f"{m.file} {m.breaks}" for word in words)
        or (not words and outcomes.get((m.file, m.breaks), UNTRIED).word != "killed")
    ]
    alive = 0
    for number, (mutant, outcome) in enumerate(try_all(chosen), 1):
        alive += outcome.word != "killed"
        print(f"{number:3}/{len(chosen)} {outcome.word:9}{mutant.file}: {mutant.breaks}  {outcome.by}", flush=True)
        outcomes[mutant.file, mutant.breaks] = outcome
        README.write_text(page_of(outcomes))
    print(f"{len(chosen) - alive} of {len(chosen)} mutants killed")
    return alive


if __name__ == "__main__":
    sys.exit(min(1, main(sys.argv[1:])))
