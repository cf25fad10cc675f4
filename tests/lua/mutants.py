"""Mutants: what a slip of the hand could do to the scripts, and whether the tests see it.

`make mutants` tries those that `tests/lua/README.md` does not tell as killed and writes each outcome there as soon as
it is known, so that it can be stopped and go on; `make mutants MUTANTS=hold` tries those whose file or effect says so
once more, `MUTANTS=/` all. Each is one text put in another's place, in a copy of the tree; the tests of the same name
come first.
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

from tests.lua.mutant_list import MUTANTS, Mutant

ROOT = Path(__file__).parents[2]
README = Path(__file__).parent / "README.md"
COPIED = ("api", "engine", "lua", "tests", "loadtests", "deploy", "pyproject.toml")
ASKED = (
    *("tests/lua/test_every_script.py", "tests/lua/seats", "tests/lua/orders", "tests/lua/include/test_find_best.py"),
    *("tests/lua/include/test_settle.py", "tests/lua/include/test_wishes.py", "tests/lua/include/test_release_due.py"),
    *(
        "tests/lua/waiting_room",
        "tests/lua/on_sale",
        "tests/lua/cell",
        "tests/lua/include/test_advance.py",
        "tests/lua/include/test_borders.py",
    ),
    *("tests/property/test_set_aside.py", "tests/lua/include/test_best_oracle.py", "tests/property/test_machine.py"),
)
NEAR = {
    **dict.fromkeys(("give_up", "draft", "draft_all"), "seats/test_swap seats/test_hold"),
    **dict.fromkeys(
        ("take", "choose", "strands", "write_hold", "may_shop", "codes"), "seats/test_hold seats/test_allot"
    ),
    **dict.fromkeys(
        ("aside", "share", "is_sold_out"),
        "seats/test_allot seats/test_restore seats/test_sweep include/test_release_due",
    ),
    **dict.fromkeys(("own_holds", "bought", "write_order"), "orders/test_rebook orders/test_confirm"),
    **dict.fromkeys(("move", "places"), "seats/test_replan"),
    **dict.fromkeys(("curve", "settle"), "include/test_release_due seats/test_bend seats/test_hold"),
    **dict.fromkeys(("gate", "sequence"), "cell/test_gate cell/test_open"),
    **dict.fromkeys(("net", "newcomer"), "waiting_room/test_net"),
    **dict.fromkeys(("windows", "borders", "admit", "join", "leaps"), "waiting_room/test_windows include/test_borders"),
    **dict.fromkeys(
        ("turn", "advance", "call_until"),
        "waiting_room/test_serve waiting_room/test_admit cell/test_press include/test_lines include/test_leaps",
    ),
    "share_out": "include/test_lines include/test_leaps",
    "until_called": "include/test_leaps",
    **dict.fromkeys(
        (
            "candidates",
            "find_best",
            "find_pair",
            "find_near",
            "pick",
            "read_blocks",
            "reach",
            "roomy",
            "search",
            "segment",
            "slots",
        ),
        "include/test_wishes include/test_find_best seats/test_swap seats/test_hold",
    ),
    **dict.fromkeys(("runs", "reindex"), "seats/test_install include/test_find_best"),
    "change": "waiting_room/test_admit",
    **dict.fromkeys(("gone", "of_line"), "waiting_room/test_persons waiting_room/test_admit"),
    "pace": "include/test_pace include/test_lines on_sale/test_crowd cell/test_press",
    "no_shows": "on_sale/test_change include/test_no_shows",
    "door": "waiting_room/test_admit on_sale/test_change cell/test_press",
    "end_of": "seats/test_leave",
    "find_split": "include/test_wishes",
    "history": "seats/test_hold",
    "open": "cell/test_gate",
    "free_hold": "seats/test_release seats/test_hold",
    "put_sold": "orders/test_confirm",
    "come_back": "orders/test_return orders/test_exchange",
    "restore": "seats/test_bend",
    "state": "seats/test_state",
    "sweep": "seats/test_sweep seats/test_hold seats/test_release",
}
"""Whose tests come first, by the name of a script."""
OPTIONS = ("-x", "-rfE", "--tb=no", "--no-header", "-p", "no:hypothesispytest")
AT_ONCE = 2
MEMORY = Path("/dev/shm")
ABOUT = """# Tests of the scripts

One file a script, under its own path: `lua/seats/hold.lua` is tried in `seats/test_hold.py`, on a real Redis, in scenes
that are drawn (`"A: . h1 s2"`, see `drawing.py`). What holds for every script alike is in `test_every_script.py`, and
of rights in `test_rights.py`; long walks at random against a model and the auditor are in `tests/property/walk/`.

## Mutants

What a slip of the hand could do, from `mutant_list.py`, each with the test that failed first. `make mutants` tries what
is not told as killed here, and writes this page; the list keeps in step with the scripts (`test_mutants.py`).

"""
HEAD = """| In `lua/` | What it breaks | Outcome | By |
|---|---|---|---|
"""
ROW = re.compile(r"^\| `(.+?)` \| (.+?) \| (\w[\w ]*) \| (?:`(.*)`)? \|$", re.MULTILINE)
FIRST_FAILURE = re.compile(r"^(FAILED|ERROR) (\S+?\.py(?:::\w+)?)", re.MULTILINE)


class Outcome(NamedTuple):
    """`word`: killed, survived, or broken where the library does not even load or the text is not there."""

    word: str
    by: str


UNTRIED = Outcome("not tried yet", "")


def in_step(mutant: Mutant, source: str) -> str:
    """The source with the mutation. Raises `ValueError` where the text is not there exactly once."""
    if source.count(mutant.right) != 1:
        raise ValueError(f"{mutant.path}: {mutant.right!r} is there {source.count(mutant.right)} times")
    return source.replace(mutant.right, mutant.wrong)


def _rounds(mutant: Mutant) -> Iterator[Sequence[str]]:
    """The tests to be asked, a few at first: most mutants are killed by those."""
    folder, name = mutant.file.split("/")
    paths = [f"tests/lua/{each}.py" for each in (f"{folder}/test_{name}", *NEAR.get(name, "").split())]
    yield [path for path in paths if (ROOT / path).exists()] or ASKED[:1]
    yield ASKED[:1]
    yield ASKED[1:]


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
        for paths in _rounds(mutant):
            done = subprocess.run(
                [sys.executable, "-m", "pytest", *OPTIONS, *paths],
                cwd=tree,
                env=_environment(tree),
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                break
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
