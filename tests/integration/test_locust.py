"""A rehearsal as ops run it: Locust's crowd over HTTP at the opening, and the verdict that decides the exit code."""

import asyncio
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from engine.instants import now_ms
from engine.orders import new_order_id
from tests.town import Sale, Town, small_plan

ROOT = Path(__file__).resolve().parents[2]
VISITORS = 80
SEED = 242
"""A crowd in which nobody pays late: there is no bank in this test that would tell."""


async def rehearse(town: Town, sale: Sale, log: Path) -> "subprocess.CompletedProcess[str]":
    """The opening shape, headless, in a process of its own."""
    return await asyncio.to_thread(
        subprocess.run,
        [
            *(sys.executable, "-m", "locust", "-f", str(ROOT / "loadtests" / "locustfile.py"), "--headless"),
            *("--host", town.url, "--house", sale.slug, "--on-sale", sale.on_sale, "--key", sale.manage_key),
            *(
                "--visitors",
                str(VISITORS),
                "--seed",
                str(SEED),
                "--think-s",
                "0.2",
                "--longest-s",
                "60",
                "--log",
                str(log),
            ),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.timeout(180)
async def test_a_rehearsed_opening_ends_in_a_clean_verdict_and_a_lost_order_in_another(
    town: Town, tmp_path: Path
) -> None:
    sale = await town.open_sale(
        "zuid",
        plan=small_plan(rows=8, seats=14, standing=30),
        opens_at_ms=now_ms() + 4_000,
        rate_per_minute=1_500,
        hold_seconds=5,
    )
    log = tmp_path / "visitors.jsonl"
    async with sale:
        run = await rehearse(town, sale, log)
        assert run.returncode == 0, run.stdout + run.stderr
        assert "verdict: clean" in run.stdout
        assert f"{VISITORS} visitors" in run.stdout
        assert "books were not compared" not in run.stdout
        told = [msgspec.json.decode(line) for line in log.read_bytes().splitlines()]
        orders = [entry for entry in told if entry["told"] == "ordered" and entry["state"] in {"confirmed", "recorded"}]
        assert len(orders) > 20
        assert not any(entry.get("payment") == "late" for entry in told)
        # A visitor was told of one more order, which the house does not have: the verdict must see it.
        lost = new_order_id()
        with log.open("ab") as file:
            file.write(msgspec.json.encode(orders[0] | {"order": lost}) + b"\n")
        judged = await asyncio.to_thread(
            subprocess.run,
            [
                *(
                    sys.executable,
                    "-m",
                    "loadtests.verdict",
                    "--log",
                    str(log),
                    "--base-url",
                    town.url,
                    "--house",
                    "zuid",
                ),
                *("--on-sale", sale.on_sale, "--key", sale.manage_key, "--settles-within-s", "1"),
            ],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert judged.returncode == 1, judged.stdout
        assert lost in judged.stdout
