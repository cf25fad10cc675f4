"""What continuous integration tries a second time, and what it never does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ONCE = """
import pathlib
def test_late():
    mark = pathlib.Path(__file__).with_suffix(".mark")
    was_there = mark.exists()
    mark.touch()
    assert was_there
"""
NEVER = "def test_never(): assert False"
ALWAYS = "def test_always(): pass"
BROKEN = "def test_broken(:"


def told(folder: Path, **tests: str) -> "tuple[int, str]":
    """The code and the words of a run of these tests, by their folders."""
    (folder / "pytest.ini").write_text("[pytest]\naddopts = -q\n")
    for name, text in tests.items():
        path = folder / "tests" / name
        path.mkdir(parents=True)
        (path / f"test_{name}.py").write_text(text)
    run = subprocess.run(
        [sys.executable, str(ROOT / "tests" / "twice.py"), "-p", "xdist", "-n", "0"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    return run.returncode, run.stdout


@pytest.mark.parametrize(
    ("tests", "code", "word"),
    [
        ({"chaos": ALWAYS, "lua": ALWAYS}, 0, "2 passed"),
        ({"chaos": ONCE, "lua": ALWAYS}, 0, "tests/chaos/test_chaos.py::test_late"),
        ({"browser": NEVER}, 1, "tried once more"),
        ({"lua": ONCE}, 1, "none of them is tried again"),
        ({"chaos": ONCE, "property": ONCE}, 1, "none of them is tried again"),
        ({"chaos": "\n".join(f"def test_{n}(): assert False" for n in range(7))}, 1, "7 failed; none"),
        ({"chaos": BROKEN}, 2, "Interrupted"),
        ({}, 5, "no tests ran"),
    ],
)
def test_only_what_can_be_late_is_tried_again(tmp_path: Path, tests: dict[str, str], code: int, word: str) -> None:
    found, words = told(tmp_path, **tests)
    assert (found, word in words) == (code, True), words
