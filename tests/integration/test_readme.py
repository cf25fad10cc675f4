"""What the README tells somebody to type, typed: line by line, in a folder of their own."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from engine.ports import free_port

README: Final = (Path(__file__).parents[2] / "README.md").read_text()
SERVE: Final = re.compile(r"^parvis serve --embedded &.*$\n(?: +#.*\n)*", re.MULTILINE)
UP: Final = "Servers are up"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that other users can walk down to; pytest's own are not."""
    path = Path(tempfile.mkdtemp(prefix="pr-", dir="/tmp"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path, ignore_errors=True)


def block_of(heading: str) -> str:
    """The first commands below a heading."""
    return README.partition(f"\n## {heading}\n")[2].partition("```\n")[2].partition("```")[0]


@contextlib.contextmanager
def serving(folder: Path, environment: dict[str, str]) -> Iterator[None]:
    """`parvis serve --embedded`, on another port than the one that may be taken here, once it says that it is up."""
    command = ("parvis", "serve", "--embedded", "--port", str(free_port()))
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        try:
            said = []
            for line in process.stdout:
                said.append(line)
                if UP in line:
                    break
            else:
                pytest.fail("".join(said))
            yield
        finally:
            process.send_signal(signal.SIGTERM)


def test_a_house_is_run_by_the_lines_of_the_readme(folder: Path) -> None:
    block = block_of("Run a house")
    assert UP in block
    lines, found = SERVE.subn("", block)
    assert found == 1
    fresh = {name: value for name, value in os.environ.items() if not name.startswith("PARVIS_")}
    environment = fresh | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    with serving(folder, environment):
        typed = subprocess.run(
            ["sh", "-e", "-c", lines], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
    assert typed.returncode == 0, typed.stdout + typed.stderr
    for word in ("hall zaal: 400 places", "performance koor", "on-sale koor", "pk_", "the books balance"):
        assert word in typed.stdout + typed.stderr
