"""SECURITY.md names tests; every one of them is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "SECURITY.md").read_text()
SOURCES = {path: path.read_text() for path in (ROOT / "tests").rglob("test_*.py")}


def test_every_file_that_is_named_exists() -> None:
    named = re.findall(r"`((?:integration|unit|lua|chaos|property|browser)/[\w/]+\.py)`", TEXT)
    assert len(named) > 40
    assert [name for name in named if not (ROOT / "tests" / name).exists()] == []
    others = re.findall(r"`((?:engine|api|deploy)/[\w/.]+)`", TEXT)
    assert [name for name in others if not (ROOT / name).exists()] == []


def test_every_test_that_is_named_exists() -> None:
    named = re.findall(r"`(test_\w+)`", TEXT)
    assert len(named) >= 8
    missing = [name for name in named if not any(re.search(rf"def {name}\b", text) for text in SOURCES.values())]
    assert missing == []
