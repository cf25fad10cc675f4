"""Packages of npm as they are published, unchanged, for tests of what others' programs make of ours."""

import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pytest

INSTALL_SECONDS = 120


@cache
def node_with(*packages: str) -> Path:
    """A folder in which Node finds packages (`name@version`). Skips the test where there is no Node, or no npm.

    In CI that is a failure: what others' programs make of ours is tried there at least.
    """
    give_up = pytest.fail if os.environ.get("CI") else pytest.skip
    if shutil.which("node") is None or shutil.which("npm") is None:
        give_up("no Node here")
    folder = Path(tempfile.gettempdir()) / f"pt-npm-{'-'.join(packages).replace('/', '-')}"
    if not (folder / "done").exists():
        folder.mkdir(exist_ok=True)
        (folder / "package.json").write_text('{"type": "module", "private": true}')
        options = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error")
        done = subprocess.run(
            ["npm", "install", *options, *packages],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS,
            check=False,
        )
        if done.returncode:
            give_up(f"npm installs nothing here: {done.stderr[-300:]}")
        (folder / "done").touch()
    return folder


def run_node(folder: Path, script: str, *arguments: str) -> str:
    """What a module prints that Node runs in a folder of `node_with`."""
    done = subprocess.run(
        ["node", "--input-type=module", "-e", script, "--", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=INSTALL_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout
