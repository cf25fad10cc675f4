"""The tests beside this one that need no page: the draw, the words, the colours."""

import shutil
import subprocess
from pathlib import Path

import pytest


def test_the_modules_own_tests_pass() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node here: a browser computes a draw, shows the words and the colours in the other tests")
    files = sorted(Path(__file__).parent.glob("*.test.mjs"))
    assert len(files) >= 3
    done = subprocess.run([node, "--test", *files], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
