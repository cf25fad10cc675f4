"""Every file under deploy/ is exercised by a test: one that is claimed by none fails here.

A test module claims what it exercises in a constant `EXERCISES`: paths under deploy/, with `*` and `**`.
"""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

TESTS: Final = Path(__file__).parents[1]
DEPLOY: Final = TESTS.parent / "deploy"
EXERCISES: Final = ("locks/*", ".gitignore")
MADE: Final = {"secrets", "__pycache__"}
REQUIREMENT: Final = re.compile(r"^([A-Za-z0-9][\w.-]*)(\[[\w,-]+\])?")


def claims_of(source: str) -> tuple[str, ...]:
    """What a test module says that it exercises."""
    for node in ast.parse(source).body:
        match node:
            case ast.Assign(targets=[ast.Name(id="EXERCISES")]) | ast.AnnAssign(target=ast.Name(id="EXERCISES")):
                values = [each.value for each in ast.walk(node) if isinstance(each, ast.Constant)]
                return tuple(value for value in values if isinstance(value, str))
    return ()


def claims() -> Iterator[tuple[Path, str]]:
    for path in sorted(TESTS.rglob("*.py")):
        yield from ((path, pattern) for pattern in claims_of(path.read_text(encoding="utf-8")))


def files() -> set[Path]:
    """Every file of deploy/ that belongs to the project."""
    return {
        path
        for path in DEPLOY.rglob("*")
        if path.is_file() and not MADE & set(path.relative_to(DEPLOY).parts) and path.suffix != ".pyc"
    }


def unclaimed(there: set[Path], patterns: "list[str]") -> list[str]:
    claimed = {path for pattern in patterns for path in DEPLOY.glob(pattern)}
    return sorted(path.relative_to(DEPLOY).as_posix() for path in there - claimed)


def test_every_file_is_exercised_by_a_test() -> None:
    assert unclaimed(files(), [pattern for _, pattern in claims()]) == []
    assert len(files()) > 50


def test_every_claim_is_about_something_that_the_module_reads() -> None:
    for path, pattern in claims():
        found = [each for each in DEPLOY.glob(pattern) if each.is_file()]
        assert found, f"{path.name} claims {pattern}, and there is nothing"
        text = path.read_text(encoding="utf-8")
        names = {each.name for each in found} | {part for part in Path(pattern).parts if "*" not in part}
        spoken = [name for name in names if text.count(name) > pattern.count(name)]
        assert spoken, f"{path.name} claims {pattern} and does not name it again"


def test_a_new_file_that_nobody_tries_is_noticed() -> None:
    new = DEPLOY / "kubernetes-2" / "new.yaml"
    assert unclaimed({new}, [pattern for _, pattern in claims()]) == ["kubernetes-2/new.yaml"]
    assert claims_of('"""Nothing."""\nX = 1') == ()
    assert claims_of('EXERCISES: Final = ("a/*",)') == ("a/*",)


@pytest.mark.parametrize("lock", ["runtime", "dev"])
def test_a_lock_pins_by_hash_whatever_is_asked_for(lock: str) -> None:
    asked = {
        found[1].lower().replace("_", "-")
        for line in (DEPLOY / "locks" / f"{lock}.in").read_text().splitlines()
        if (found := REQUIREMENT.match(line.strip()))
    }
    text = (DEPLOY / "locks" / f"{lock}.txt").read_text() + (DEPLOY / "locks" / "runtime.txt").read_text()
    pinned = {
        name.lower().replace("_", "-") for name in re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==", text, re.MULTILINE)
    }
    assert asked
    assert asked <= pinned
    entries = re.split(r"^(?=[\w.-]+(?:\[[\w,-]+\])?==)", text, flags=re.MULTILINE)[1:]
    assert [entry.split("==")[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_secrets_are_never_committed() -> None:
    said = subprocess.run(
        ["git", "check-ignore", "--no-index", "deploy/secrets/parvis.env"],
        cwd=DEPLOY.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    ignored = (DEPLOY / ".gitignore").read_text().split()
    assert said.returncode == 0 or any(line.strip("/") == "secrets" for line in ignored)
