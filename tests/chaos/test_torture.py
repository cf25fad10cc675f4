"""`parvis torture` as an operator runs it, for a short while, and the seeds that have found something before."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.torture.options import OF_SHIM
from engine.torture.shim import missing

SEED = int(os.environ.get("PARVIS_SEED", "1"))
MINUTES = float(os.environ.get("PARVIS_MINUTES", "0.4"))
SEEDS = tomllib.loads(Path(__file__).with_name("seeds.toml").read_text())["seeds"]
pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300 + 60 * MINUTES)]


def torture(seed: int, minutes: float, *only: str) -> "tuple[int, dict[str, Any]]":
    """The exit code and the verdict."""
    command = [sys.executable, "-m", "engine.cli", "torture", "--seed", str(seed), "--minutes", str(minutes), "--json"]
    for kind in only:
        command += ["--only", kind]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    print(done.stdout[-4000:], done.stderr[-2000:])
    return done.returncode, msgspec.json.decode(done.stdout.splitlines()[-1])


def test_every_promise_is_kept_while_faults_strike_and_everything_lives_again_afterwards() -> None:
    code, verdict = torture(SEED, MINUTES)
    assert verdict["broken"] == []
    assert verdict["blind"] == [], "a fault that was not felt has proved nothing"
    assert code == 0
    assert set(verdict["left_out"]) == (set(OF_SHIM) if missing() else set())
    assert verdict["orders_confirmed"] > 50
    assert verdict["turned_away"] > 0
    assert verdict["repeats"] > 0
    assert all(verdict["payments"][mode] > 0 for mode in ("late", "twice", "early", "never"))
    assert verdict["looks"] > 10


@pytest.mark.parametrize("found", SEEDS, ids=lambda found: f"seed-{found['seed']}")
def test_what_a_seed_has_found_it_does_not_find_again(found: "dict[str, Any]") -> None:
    only = [kind for kind in found["only"] if not (missing() and kind in OF_SHIM)]
    code, verdict = torture(found["seed"], found["minutes"], *only)
    assert verdict["broken"] == []
    # So short a run may end before anybody has felt its last fault; the long one above may not.
    assert code in {0, 3}
    assert verdict["drawn"]
