"""`parvis load` on servers of its own: two houses side by side, and a house with mistakes that must be found."""

import csv
import json
import os
import shutil
import subprocess
import sys
from itertools import takewhile
from pathlib import Path

import msgspec
import pytest

from engine.ports import free_port
from tests.town import small_plan

ROOT = Path(__file__).resolve().parents[2]
QUICK = ("--think-s", "0.2", "--come-within-s", "3", "--hold-seconds", "3")

UNWRITTEN = (
    'local entry = "1-1" if string.byte(order, -1) % 2 > 0 then '
    'entry = redis.call("XADD", outbox, "*", "kind", kind, "data", payload) end'
)
MISTAKES: "dict[str, tuple[str, str]]" = {
    # Named seats are taken, whoever has them.
    "lua/include/take.lua": ('letter ~= "" and string.find(letters, letter, 1, true) ~= nil', "true"),
    # Whoever claims is let in: before the turn, beyond the cap, faster than the rate.
    "lua/waiting_room/admit.lua": (
        (
            'if position >= line.now_serving then return {"not_yet", line.now_serving, '
            "until_called(room, line, position)} end"
        ),
        "room.cap, room.pace = 100000, 60000000",
    ),
    # One pass may hold anything.
    "lua/include/choose.lua": ("if performance.owned > limit then", "if false then"),
    # Every other order or so is never written down.
    "lua/include/write_order.lua": (
        'local entry = redis.call("XADD", outbox, "*", "kind", kind, "data", payload)',
        UNWRITTEN,
    ),
}


def load(folder: Path, *options: str, cwd: Path = ROOT, plan: "dict[str, object] | None" = None) -> "tuple[int, str]":
    """Exit code and all that was said."""
    file = folder / "plan.json"
    file.write_text(json.dumps(plan or small_plan(rows=8, seats=14, standing=30)))
    where = ("--port", str(free_port()), "--plan", str(file), "--reports", str(folder / "reports"))
    ended = subprocess.run(
        [sys.executable, "-m", "engine.cli", "load", *QUICK, *where, *options],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
        env=os.environ | {"TMPDIR": "/tmp", "PYTHONPATH": str(cwd)},
    )
    return ended.returncode, ended.stdout + ended.stderr


@pytest.mark.timeout(240)
def test_a_quiet_house_is_timed_before_and_during_its_neighbours_rush(tmp_path: Path) -> None:
    shape = ("--shape", "two-houses", "--quiet-s", "4", "--quiet-rate", "10")
    code, said = load(tmp_path, *shape, "--visitors", "60", "--seed", "7", "--rate", "1500", "--longest-s", "60")
    assert code == 0, said
    assert "verdict: clean" in said
    assert "audited: zeewind, gulden-masker" in said
    (page,) = (tmp_path / "reports").glob("*two-houses*/report.html")
    text = page.read_text(encoding="utf-8")
    assert "Two houses side by side" in text
    assert (page.parent / "two-houses.png").stat().st_size > 10_000
    told = [msgspec.json.decode(line) for line in (page.parent / "told.jsonl").read_bytes().splitlines()]
    assert {entry["kind"] for entry in told if entry["told"] == "came"} >= {"buyer", "calm", "desk"}
    assert not [entry for entry in told if entry["told"] == "broken"]
    with (page.parent / "seconds.csv").open(encoding="utf-8") as file:
        seconds = list(csv.DictReader(file))
    # The desk is there from the start, and is no rush.
    quiet = list(takewhile(lambda second: second["came"] == "0", seconds))
    assert any(second["quiet hold p99_ms"] for second in quiet)
    assert any(second["quiet hold p99_ms"] for second in seconds[len(quiet) :])


@pytest.mark.timeout(240)
def test_every_mistake_in_a_house_fails_the_run(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    for room in ("engine", "api", "lua", "loadtests"):
        shutil.copytree(ROOT / room, copy / room, ignore=shutil.ignore_patterns("__pycache__"))
    for path, (right, wrong) in MISTAKES.items():
        text = (copy / path).read_text(encoding="utf-8")
        assert text.count(right) == 1, path
        (copy / path).write_text(text.replace(right, wrong), encoding="utf-8")
    crowd = ("--visitors", "120", "--seed", "7", "--robots", "0.3", "--rate", "30", "--cap", "2")
    code, said = load(tmp_path, *crowd, "--longest-s", "20", "--settles-within-s", "2", cwd=copy)
    assert code == 1, said
    assert "verdict: FAULTS" in said
    (page,) = (tmp_path / "reports").glob("*/report.html")
    assert "✗ Faults." in page.read_text(encoding="utf-8")
    run = msgspec.json.decode((page.parent / "run.json").read_bytes())
    found = [f"{fault['kind']}: {fault['what']}" for fault in run["verdict"]["faults"]]
    for kind in ("double_sale", "lost_order", "broken_line", "unbalanced_books"):
        assert any(fault.startswith(f"{kind}:") for fault in found), (kind, said)
        assert f"{kind}: " in said
    for limit in ("were let in within a minute", "live pass", "bought or held"):
        assert any(fault.startswith("broken_limit:") and limit in fault for fault in found), (limit, said)


def test_its_help_tells_of_its_own_options_the_crowds_and_locusts() -> None:
    command = (sys.executable, "-m", "engine.cli", "load", "--help")
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=True).stdout
    for option in ("--hold-seconds", "--on-sale", "--expect-workers"):
        assert f"  {option} " in said
