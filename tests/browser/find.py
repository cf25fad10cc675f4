"""Finds a headless Chromium for the browser tests, or installs one: `python -m tests.browser.find` prints its path."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, Final

from playwright.sync_api import sync_playwright

VARIABLE: Final = "PARVIS_CHROMIUM"
NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS: Final = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
APT: Final = (
    ("apt-get", "update", "-q"),
    ("apt-get", "install", "-q", "-y", "--no-install-recommends", "chromium", "fonts-dejavu-core"),
)
PLAYWRIGHT: Final = (sys.executable, "-m", "playwright", "install", "--only-shell", "chromium")
START_SECONDS: Final = 30
INSTALL_SECONDS: Final = 600
ADVICE: Final = f"""No Chromium was found and none could be installed; the browser tests need one. Any of these helps:
  apt-get install chromium fonts-dejavu-core      (Debian, as root)
  {" ".join(PLAYWRIGHT)}
  {VARIABLE}=/path/to/chromium                    (one that you have)"""


class NoBrowser(Exception):
    """What to do when there is no browser, in words."""


def launch_options() -> dict[str, Any]:
    """Arguments for Playwright's `launch`: the browser found, a fresh profile, and nothing that calls home."""
    return {"executable_path": find(), "args": ARGUMENTS}


def find() -> str:
    """The path of a Chromium that starts: named by the variable, on PATH, or Playwright's. Raises `NoBrowser`."""
    named = os.environ.get(VARIABLE)
    if named:
        if _starts(named):
            return named
        raise NoBrowser(f"{VARIABLE} is {named}, and that does not start as a browser")
    for path in _candidates():
        if _starts(path):
            return path
    raise NoBrowser(ADVICE)


def find_or_install() -> str:
    """As `find`, installing Debian's browser or Playwright's when there is none yet. Raises `NoBrowser`."""
    try:
        return find()
    except NoBrowser:
        if os.environ.get(VARIABLE):
            raise
    for steps in _installations():
        if all(map(_runs, steps)):
            try:
                return find()
            except NoBrowser:
                continue
    raise NoBrowser(ADVICE)


def _candidates() -> Iterator[str]:
    yield from filter(None, map(shutil.which, NAMES))
    with sync_playwright() as playwright:
        yield playwright.chromium.executable_path
        # The headless shell, which `PLAYWRIGHT` downloads, lies beside the full browser.
        yield from _shells(playwright.chromium.executable_path)


def _shells(full: str) -> Iterator[str]:
    folder, _, version = full.partition("/chromium-")
    number = version.partition("/")[0]
    for name in ("chrome-headless-shell-linux64/chrome-headless-shell", "chrome-linux/headless_shell"):
        yield f"{folder}/chromium_headless_shell-{number}/{name}"


def _installations() -> Iterator[tuple[tuple[str, ...], ...]]:
    if os.geteuid() == 0 and shutil.which("apt-get"):
        yield APT
    yield (PLAYWRIGHT,)


def _starts(path: str) -> bool:
    """Whether it runs at all: a distribution's `chromium-browser` may be no more than advice to install another."""
    try:
        return (
            subprocess.run([path, "--version"], capture_output=True, timeout=START_SECONDS, check=False).returncode == 0
        )
    except (OSError, subprocess.TimeoutExpired):
        return False


def _runs(command: tuple[str, ...]) -> bool:
    print("$", *command, file=sys.stderr, flush=True)
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(command, stdout=sys.stderr, timeout=INSTALL_SECONDS, check=False, env=quiet)
    except (OSError, subprocess.TimeoutExpired) as error:
        print(error, file=sys.stderr)
        return False
    return done.returncode == 0


if __name__ == "__main__":
    try:
        print(find_or_install())
    except NoBrowser as missing:
        sys.exit(str(missing))
