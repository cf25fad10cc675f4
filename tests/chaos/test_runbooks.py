"""The runbooks of deploy/ are carried out, word by word, on a house that sells."""

import asyncio
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import jwt
import psutil
import psycopg
import pytest

from engine.embedded.postgres import EmbeddedPostgres
from engine.embedded.postgres_program import programs_for
from engine.network import load
from engine.words import HouseSlug
from tests.chaos.test_house_moves import TownOfProcesses, another_postgres, lose_redis, nobody_comes_in
from tests.sale import Sale

RUNBOOKS: Final = Path(__file__).parents[2] / "deploy" / "runbooks"
EXERCISES: Final = ("runbooks/*.md",)
NOORD, ZUID = "noord", "zuid"
BLOCK: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SUPERVISOR: Final = """#!/bin/sh
# What systemd does with parvis@<house>, here.
set -eu
house="${{2#parvis@}}"
port="$(cat "{folder}/$house.port")"
stop() {{
    read -r pid < "{folder}/$house.pid" && kill -TERM "$pid"
    while [ -e "/proc/$pid" ] && ! grep -q "^State:.Z" "/proc/$pid/status"; do sleep 0.05; done
    echo "stop $house" >> "{folder}/done"
}}
start() {{
    setsid {python} -m engine.cli serve --network "{network}" --house "$house" --port "$port" \\
        >> "{log}" 2>&1 < /dev/null &
    echo "$!" > "{folder}/$house.pid"
    echo "start $house" >> "{folder}/done"
}}
case "$1" in stop) stop ;; start) start ;; restart) stop; start ;; *) exit 2 ;; esac
"""
pytestmark = [
    pytest.mark.chaos,
    pytest.mark.timeout(240),
    pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed"),
]


def blocks_of(name: str) -> list[tuple[str, str]]:
    """A runbook's fenced blocks with their language."""
    return BLOCK.findall((RUNBOOKS / name).read_text())


class Supervised(TownOfProcesses):
    """A town whose processes are started and stopped by the command that the runbooks name."""

    def serve(self) -> None:
        super().serve()
        self.tools = self.folder / "tools"
        self.tools.mkdir(exist_ok=True)
        for slug, port in self.ports.items():
            (self.tools / f"{slug}.port").write_text(str(port))
            (self.tools / f"{slug}.pid").write_text(str(self.processes[slug].pid) + "\n")
        log = self.folder / "serve.log"
        log.touch()
        text = SUPERVISOR.format(folder=self.tools, python=sys.executable, network=self.network_file, log=log)
        self._tool("systemctl", text)
        self._tool("parvis", f'#!/bin/sh\nexec {sys.executable} -m engine.cli "$@"\n')

    def _tool(self, name: str, text: str) -> None:
        (self.tools / name).write_text(text)
        (self.tools / name).chmod(0o755)

    def follow(self, name: str, **facts: str) -> str:
        """Carries out every block of a runbook, in one shell; gives what it said. Fails where a step does."""
        environment = {
            "PATH": f"{self.tools}:{programs_for(Path.cwd(), None)}:{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join(sys.path),
            "HOME": str(self.folder),
            "TERM": "dumb",
            "COLUMNS": "200",
            "PARVIS_NETWORK": str(self.network_file),
            **facts,
        }
        script = "\n".join(text for language, text in blocks_of(name) if language == "sh")
        said = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            env=environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )
        told = f"{name}: {said.stdout}{said.stderr}{self.log()[-2000:]}"
        assert said.returncode == 0, f"{told}\n{self.running()}"
        return said.stdout

    def running(self) -> str:
        """The houses' processes with their children, and how busy the machine is."""
        lines = [f"load {os.getloadavg()}"]
        for path in self.tools.glob("*.pid"):
            with suppress(psutil.Error):
                parent = psutil.Process(int(path.read_text()))
                lines += [
                    f"{path.stem} {each.pid} {each.status()} {each.cpu_times()} {each.cmdline()[1:6]}"
                    for each in (parent, *parent.children(recursive=True))
                ]
        return "\n".join(lines)

    def steps(self) -> list[str]:
        """What the supervisor was asked to do."""
        path = self.tools / "done"
        return path.read_text().splitlines() if path.exists() else []

    def stop(self) -> None:
        for path in self.tools.glob("*.pid"):
            with suppress(ProcessLookupError):
                os.kill(int(path.read_text()), signal.SIGKILL)
        super().stop()


@pytest.fixture(scope="module")
def town() -> Iterator[Supervised]:
    running = Supervised((NOORD, ZUID))
    running.start()
    try:
        for slug in running.slugs:
            asyncio.run(running.until_house_is_open(slug))
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[EmbeddedPostgres]:
    """Another Postgres, to which the houses go."""
    with another_postgres() as postgres:
        yield postgres


@pytest.fixture
def backup() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="pb-"))
    yield folder / "backup"
    shutil.rmtree(folder, ignore_errors=True)


async def sells(sale: Sale, count: int = 2) -> set[str]:
    """So many orders, recorded."""
    orders = set()
    for _ in range(count):
        token = await sale.enter()
        (seat,) = sale.unused(1)
        order = (await sale.order(token, (await sale.hold(token, seat)).json["hold"])).json
        await sale.until_recorded(order)
        orders.add(str(order["order"]))
    return orders


async def comes_again(sale: Sale) -> None:
    """Over a new connection: the one of before ended with its process."""
    await sale.__aexit__()
    await sale.__aenter__()


async def orders_of(sale: Sale) -> set[str]:
    found = (await sale.get("/manage/orders?limit=1000", sale.manage_key)).json["orders"]
    return {str(each["order"]) for each in found}


def facts_of(town: Supervised, slug: str) -> dict[str, str]:
    house = load(town.network_file).house(slug)
    return {
        "HOUSE": slug,
        "DSN": house.postgres_dsn,
        "OLD_DSN": house.postgres_dsn,
        "OLD_OWNER_DSN": town.servers.postgres.dsn,
        "SECRETS": str(house.secrets_path),
        "PARVIS_PORT": str(town.ports[slug]),
    }


async def test_a_house_that_burned_down_is_restored_from_its_backup(
    town: Supervised, elsewhere: EmbeddedPostgres, backup: Path
) -> None:
    async with town.sale_at(NOORD) as sale, town.sale_at(ZUID) as other:
        sold = await sells(sale)
        place, secret = await sale.join()
        facts = facts_of(town, NOORD) | {"BACKUP": str(backup)}
        town.follow("backup.md", **facts)
        assert stat.S_IMODE(backup.stat().st_mode) == 0o700
        lost = await sells(sale, 1)
        os.kill(int((town.tools / f"{NOORD}.pid").read_text()), signal.SIGKILL)
        nobody_comes_in(town, NOORD)
        lose_redis(town, NOORD)
        shutil.rmtree(facts["SECRETS"])

        town.follow("restore.md", **facts, NEW_DSN=elsewhere.ensure_house(HouseSlug(NOORD)))
        await comes_again(sale)
        found = await orders_of(sale)
        assert sold <= found, "what the backup has is back"
        assert not lost & found, "what was sold later is not, or this test proves nothing"
        (alarm,) = (await sale.get("/manage/alarms", sale.manage_key)).json["alarms"]
        assert alarm["kind"] == "redis-lost", "what is gone is told"
        seen = await sale.post(f"/manage/alarms/{alarm['id']}/seen", {"reason": "a test"}, token=sale.manage_key)
        assert seen.status == 200
        assert await sale.pass_for(place, secret), "the place in the queue is good"
        assert await sells(sale, 1)
        assert await sells(other, 1), "the neighbour sells"
    assert [step for step in town.steps() if ZUID in step] == []


async def test_a_house_moves_to_another_server(town: Supervised, elsewhere: EmbeddedPostgres, backup: Path) -> None:
    async with town.sale_at(ZUID) as sale:
        sold = await sells(sale)
        place, secret = await sale.join()
        token = await sale.enter()
        (seat,) = sale.unused(1)
        held = (await sale.hold(token, seat)).json["hold"]
        before = facts_of(town, ZUID)
        new_dsn = elsewhere.ensure_house(HouseSlug(ZUID))
        town.follow("move.md", **before, NEW_DSN=new_dsn, BACKUP=str(backup))
        assert facts_of(town, ZUID)["DSN"] == new_dsn
        await comes_again(sale)
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(before["DSN"])
        assert await sale.pass_for(place, secret)
        order = (await sale.order(token, held)).json
        await sale.until_recorded(order)
        assert sold | {order["order"]} <= await orders_of(sale)


async def test_a_release_is_rolled_out_and_nobody_loses_a_place(town: Supervised) -> None:
    async with town.sale_at(NOORD) as sale, town.sale_at(ZUID) as other:
        places = [await each.join() for each in (sale, other) for _ in range(5)]
        before = len(town.steps())
        ports = f"{town.ports[ZUID]} {town.ports[NOORD]}"
        town.follow("release.md", HOUSES=f"{ZUID} {NOORD}", PORTS=ports)
        asked = [f"{what} {slug}" for slug in (ZUID, NOORD) for what in ("stop", "start")]
        assert town.steps()[before:] == asked, "one house after the other"
        await comes_again(sale)
        await comes_again(other)
        for each, (place, secret) in zip([sale] * 5 + [other] * 5, places, strict=True):
            assert await each.pass_for(place, secret)


async def test_keys_and_passwords_are_changed(town: Supervised) -> None:
    async with town.sale_at(NOORD) as sale:
        place, secret = await sale.join()
        token = await sale.pass_for(place, secret)
        (seat,) = sale.unused(1)
        held = (await sale.hold(token, seat)).json["hold"]
        house = load(town.network_file).house(NOORD)
        passwords = {"": house.postgres_dsn, "REDIS_": house.redis_url}
        known = {f"OLD_{kind}PASSWORD": str(urlsplit(url).password) for kind, url in passwords.items()}
        new = {f"NEW_{kind}PASSWORD": f"new{kind.lower()}-of-this-test" for kind in passwords}
        town.follow("keys.md", **facts_of(town, NOORD), **known, **new, REASON="a test")
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(house.postgres_dsn)
        await comes_again(sale)
        assert (await sale.hold(token, *sale.unused(1))).status == 401, "a pass of before is void"
        (key,) = (await sale.get("/.well-known/jwks.json")).json["keys"]
        assert len(list(house.secrets_path.glob("pass*.pem"))) == 1, (
            "neither the former nor the one that waited is left"
        )
        assert jwt.get_unverified_header(await sale.enter())["kid"] == key["kid"]
        again = await sale.pass_for(place, secret)
        order = (await sale.order(again, held)).json
        await sale.until_recorded(order)


@pytest.mark.parametrize("path", sorted(RUNBOOKS.glob("*.md")), ids=lambda path: path.name)
def test_a_runbook_says_what_to_set_first_and_every_block_of_it_is_carried_out(path: Path) -> None:
    text = path.read_text()
    blocks = blocks_of(path.name)
    assert blocks
    # What a mirror's readers write is carried out in `integration/test_signed_status.py`.
    assert {language for language, _ in blocks} - {"sh"} == ({"python", "js"} if path.name == "mirror.md" else set())
    script = "\n".join(block for language, block in blocks if language == "sh")
    assert subprocess.run(["bash", "-n", "-c", script], check=False).returncode == 0
    used = set(re.findall(r"\$\{?([A-Z][A-Z_]+)", script)) | set(re.findall(r'environ\["([A-Z_]+)"\]', script))
    made = set(re.findall(r"^\s*([A-Z_]+)=", script, re.MULTILINE))
    told = set(re.findall(r"`([A-Z][A-Z_]+)`", text.partition("```")[0]))
    assert used - made <= told, "whoever follows it knows what to set"
    assert path.name in Path(__file__).read_text(), "a test follows it"


def test_a_step_that_fails_ends_a_runbook(town: Supervised) -> None:
    with pytest.raises(AssertionError, match=r"backup\.md"):
        town.follow("backup.md", **facts_of(town, NOORD) | {"DSN": "postgresql://nobody@/nothing"}, BACKUP="/nowhere/x")
