"""A rehearsal as ops run it: Locust's master and workers over HTTP at an opening, the verdict, and the report."""

import asyncio
import csv
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest

from engine.instants import now_ms
from engine.orders import new_order_id
from engine.ports import free_port
from tests.town import Sale, Town, small_plan

ROOT = Path(__file__).resolve().parents[2]
VISITORS = 90
SEED = 242
PICTURES = {"queue", "admissions", "seats", "latency", "refusals", "generator"}


async def rehearse(town: Town, sale: Sale, folder: Path) -> "subprocess.CompletedProcess[str]":
    """The opening shape, headless: a master and two workers, in processes of their own."""
    where = ("--host", town.url, "--house", sale.slug, "--on-sale", sale.on_sale)
    keys = ("--key", sale.manage_key, "--counter-key", sale.counter_key)
    crowd = ("--visitors", str(VISITORS), "--seed", str(SEED), "--robots", "0.1", "--hoarders", "0.1")
    pace = ("--think-s", "0.2", "--come-within-s", "2", "--longest-s", "60", "--processes", "2", "--only-summary")
    meeting = str(free_port())  # several rehearsals on one machine would share Locust's port
    kept = ("--log", str(folder / "visitors.jsonl"), "--reports", str(folder / "reports"))
    command = [sys.executable, "-m", "locust", "-f", str(ROOT / "loadtests" / "locustfile.py"), "--headless"]
    return await asyncio.to_thread(
        subprocess.run,
        [*command, *where, *keys, *crowd, *pace, *kept, "--master-port", meeting, "--master-bind-port", meeting],
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )


VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """What a report's page holds: pictures, table cells, and whether every element that opens is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.pictures: list[str] = []
        self.cells: list[str] = []
        self.opened: list[str] = []
        self.loaded: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: "list[tuple[str, str | None]]") -> None:
        given = dict(attrs)
        if tag == "img":
            self.pictures.append(str(given["alt"]))
            self.loaded.append(str(given["src"]))
        if tag in {"script", "link"}:
            self.loaded.append(tag)
        if tag not in VOID:
            self.opened.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.opened.pop() == tag, self.getpos()

    def handle_data(self, data: str) -> None:
        if self.opened and self.opened[-1] == "td":
            self.cells.append(data.strip())


def check_report(folder: Path, orders: int) -> None:
    (report,) = (folder / "reports").glob("*/report.html")
    text = report.read_text(encoding="utf-8")
    page = Page(text)
    assert page.opened == []
    assert "✓ Clean." in text
    assert len(page.pictures) == len(PICTURES)
    assert all(each.startswith("data:image/svg+xml") for each in page.loaded), "the page stands alone"
    assert {"people", "hoarders", "scripted buyers", "desks at the counter", "join", "hold"} <= set(page.cells)
    assert "pk_" not in text, "a key is in the report"
    assert {path.stem for path in report.parent.glob("*.png")} == PICTURES
    with (report.parent / "orders.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == orders
    with (report.parent / "seconds.csv").open(newline="") as file:
        seconds = list(csv.DictReader(file))
    assert sum(int(row["orders"]) for row in seconds) == orders
    assert sum(int(row["came"]) for row in seconds) == VISITORS
    with (report.parent / "requests.csv").open(newline="") as file:
        counted = [row for row in csv.DictReader(file) if row["clock"] == "due"]
    assert sum(int(row["count"]) for row in counted) == sum(int(row["requests"]) for row in seconds)
    run = msgspec.json.decode((report.parent / "run.json").read_bytes())
    assert run["options"]["seed"] == SEED
    assert run["machine"]["cores"]
    assert "key" not in run["options"]


@pytest.mark.timeout(240)
async def test_a_rehearsed_opening_ends_in_a_clean_verdict_and_a_lost_order_in_another(
    town: Town, tmp_path: Path
) -> None:
    sale = await town.open_sale(
        "zuid",
        plan=small_plan(rows=8, seats=14, standing=30),
        opens_at_ms=now_ms() + 9_000,
        rate_per_minute=1_500,
        hold_seconds=3,
    )
    log = tmp_path / "visitors.jsonl"
    async with sale:
        run = await rehearse(town, sale, tmp_path)
        assert run.returncode == 0, run.stdout + run.stderr
        assert "verdict: clean" in run.stdout
        assert f"{VISITORS} visitors" in run.stdout
        assert "books were not compared" not in run.stdout
        told = [msgspec.json.decode(line) for line in log.read_bytes().splitlines()]
        orders = [entry for entry in told if entry["told"] == "ordered" and entry["state"] in {"confirmed", "recorded"}]
        assert len(orders) > 20
        assert not any(entry.get("payment") == "late" for entry in told), "there is no bank in this test"
        came = [entry for entry in told if entry["told"] == "came"]
        assert {entry["kind"] for entry in came} == {"buyer", "hoarder", "robot", "desk"}
        assert sorted(entry["visitor"] for entry in came) == list(range(-1, VISITORS))
        assert any(entry["slug"] == "not-yet-served" for entry in told if entry["told"] == "refused")
        check_report(tmp_path, len({entry["order"] for entry in orders}))
        # A visitor was told of one more order, which the house does not have: the verdict must see it.
        lost = new_order_id()
        with log.open("ab") as file:
            file.write(msgspec.json.encode(orders[0] | {"order": lost}) + b"\n")
        judge = ["--log", str(log), "--base-url", town.url, "--house", "zuid", "--on-sale", sale.on_sale]
        judged = await asyncio.to_thread(
            subprocess.run,
            [
                *(sys.executable, "-m", "loadtests.verdict", *judge),
                *("--key", sale.manage_key, "--settles-within-s", "1"),
            ],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert judged.returncode == 1, judged.stdout
        assert lost in judged.stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--robots", "1.5"), "a share of the visitors lies between 0 and 1"),
        (("--shape", "two-houses"), "name the quiet one"),
        (("--shape", "stampede"), "invalid choice"),
    ],
)
def test_a_rehearsal_that_cannot_be_says_why(options: tuple[str, ...], said: str) -> None:
    command = [sys.executable, "-m", "locust", "-f", str(ROOT / "loadtests" / "locustfile.py"), "--headless"]
    where = ("--host", "http://127.0.0.1:9", "--house", "zuid", "--on-sale", "gala")
    ended = subprocess.run([*command, *where, *options], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode != 0
    assert said in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stdout + ended.stderr


def test_a_house_that_is_not_there_ends_the_run(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "locust", "-f", str(ROOT / "loadtests" / "locustfile.py"), "--headless"]
    where = ("--host", "http://127.0.0.1:9", "--house", "zuid", "--on-sale", "gala", "--visitors", "5")
    ended = subprocess.run([*command, *where], capture_output=True, text=True, timeout=110, check=False, cwd=tmp_path)
    assert ended.returncode != 0
    assert "/v1/houses/zuid/on-sales/gala" in ended.stdout + ended.stderr
