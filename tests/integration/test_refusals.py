"""A house whose users may do more than they need is refused, in words that mend it; the other houses sell on."""

import asyncio
import time
from collections.abc import Iterator

import aiohttp
import msgspec
import psycopg
import pytest

from engine.address import address_of
from engine.embedded.postgres import EmbeddedPostgres
from engine.network import House
from engine.rights import too_much
from tests.backstage import USER_PASSWORD, Backstage, Theatre, until
from tests.integration.commands import Parvis
from tests.town import Town

SECONDS = 30.0


def as_superuser(postgres: EmbeddedPostgres, *statements: str) -> None:
    with psycopg.connect(postgres.dsn, autocommit=True) as owner:
        for statement in statements:
            owner.execute(statement.encode())


async def test_a_house_as_parvis_sets_it_up_is_not_refused(stage: Backstage) -> None:
    assert await too_much(stage.house, stage.ledger) == []
    await stage.open()
    assert stage.redis.execute_command("ACL", "GETUSER", stage.slug)
    assert await too_much(stage.house, stage.ledger) == []


ROLE = '"house_{slug}"'
POSTGRES: dict[str, tuple[str, str, str]] = {
    "a superuser": (f"ALTER ROLE {ROLE} SUPERUSER", f"ALTER ROLE {ROLE} NOSUPERUSER", "is a superuser"),
    "may create databases": (f"ALTER ROLE {ROLE} CREATEDB", f"ALTER ROLE {ROLE} NOCREATEDB", "may create databases"),
    "may create roles": (f"ALTER ROLE {ROLE} CREATEROLE", f"ALTER ROLE {ROLE} NOCREATEROLE", "may create roles"),
    "replicates": (f"ALTER ROLE {ROLE} REPLICATION", f"ALTER ROLE {ROLE} NOREPLICATION", "may replicate"),
    "looks past": (f"ALTER ROLE {ROLE} BYPASSRLS", f"ALTER ROLE {ROLE} NOBYPASSRLS", "may look past row security"),
    "reads files": (
        *(f"GRANT pg_read_server_files TO {ROLE}", f"REVOKE pg_read_server_files FROM {ROLE}"),
        "is a member of pg_read_server_files",
    ),
    "runs programs": (
        *(f"GRANT pg_execute_server_program TO {ROLE} WITH INHERIT FALSE",),
        *(f"REVOKE pg_execute_server_program FROM {ROLE}", "is a member of pg_execute_server_program"),
    ),
    "is another house": (
        *('GRANT "house_other" TO ' + ROLE, 'REVOKE "house_other" FROM ' + ROLE),
        "is a member of house_other",
    ),
    "goes into another house's database": (
        *(
            'GRANT CONNECT ON DATABASE "house_other" TO ' + ROLE,
            'REVOKE CONNECT ON DATABASE "house_other" FROM ' + ROLE,
        ),
        "may connect to the database house_other",
    ),
    "goes where everybody goes": (
        *("GRANT CONNECT ON DATABASE postgres TO PUBLIC", "REVOKE CONNECT ON DATABASE postgres FROM PUBLIC"),
        "may connect to the database postgres",
    ),
}


@pytest.mark.parametrize("what", POSTGRES)
async def test_a_postgres_role_that_may_do_more_is_told_what_and_how_to_mend_it(
    theatre: Theatre, stage: Backstage, what: str
) -> None:
    theatre.postgres.ensure_house("other")  # type: ignore[arg-type]
    grant, revoke, words = (text.format(slug=stage.slug) for text in POSTGRES[what])
    as_superuser(theatre.postgres, grant)
    try:
        found = await too_much(stage.house, stage.ledger)
        assert any(words in fault for fault in found), found
        # What it says mends it, without anybody's further thought.
        for fault in found:
            as_superuser(theatre.postgres, fault.rpartition(": ")[2])
        assert await too_much(stage.house, stage.ledger) == []
    finally:
        as_superuser(theatre.postgres, revoke)


REDIS: dict[str, tuple[str, str]] = {
    "everything": ("~* &* +@all", "@all"),
    "every key": ("~{{slug}}:* ~* -@all +fcall", "keys: ~*"),
    "another house's keys": ("~{{slug}}:* ~{{other}}:* -@all +fcall", "keys: ~{other}:*"),
    "every channel": ("~{{slug}}:* &* -@all +fcall", "channels: &*"),
    "a family of commands": ("~{{slug}}:* -@all +fcall +@read", "commands: @read"),
    "code of its own": ("~{{slug}}:* -@all +fcall +eval", "commands: eval"),
    "settings": ("~{{slug}}:* -@all +fcall +config|set", "commands: config|set"),
    "another set of rights": ("~{{slug}}:* -@all +fcall (~* +get)", "selectors: "),
    "no password": ("~{{slug}}:* -@all +fcall nopass", "passwords: none is asked"),
}


@pytest.mark.parametrize("what", REDIS)
async def test_a_redis_user_that_may_do_more_is_told_what_and_how_to_mend_it(stage: Backstage, what: str) -> None:
    rights, words = REDIS[what]
    rules = rights.replace("{{slug}}", f"{{{stage.slug}}}").replace("{{other}}", "{other}")
    parts = [f"({rules.partition('(')[2]}"] if "(" in rules else []
    words_of_rule = [*rules.partition("(")[0].split(), *parts]
    stage.redis.execute_command("ACL", "SETUSER", stage.slug, "reset", "on", f">{USER_PASSWORD}", *words_of_rule)
    (fault,) = await too_much(stage.house, stage.ledger)
    assert words in fault
    assert f"ACL DELUSER {stage.slug}" in fault
    stage.redis.execute_command("ACL", "DELUSER", stage.slug)
    await stage.open()
    assert await too_much(stage.house, stage.ledger) == []


async def test_what_another_release_called_is_no_reason_to_refuse(stage: Backstage) -> None:
    rules = (f"~{stage.keys.everything}", "-@all", "+fcall", "+fcall_ro", "+lpush", "+get")
    stage.redis.execute_command("ACL", "SETUSER", stage.slug, "reset", "on", f">{USER_PASSWORD}", *rules)
    assert await too_much(stage.house, stage.ledger) == []


async def test_a_redis_that_lets_everybody_in_is_no_wall(stage: Backstage) -> None:
    password = address_of(stage.house.redis_owner_url).password
    stage.redis.execute_command("ACL", "SETUSER", "default", "nopass")
    try:
        (fault,) = await too_much(stage.house, stage.ledger)
    finally:
        stage.redis.execute_command("ACL", "SETUSER", "default", "resetpass", f">{password}")
    assert "set requirepass" in fault
    assert await too_much(stage.house, stage.ledger) == []


def urls(stage: Backstage) -> dict[str, tuple[House, str]]:
    house, owner = stage.house, stage.house.redis_owner_url
    no_user = house.redis_url.replace(f"{stage.slug}:{USER_PASSWORD}@", "")
    return {
        "the owner": (msgspec.structs.replace(house, redis_url=owner), "default user"),
        "nobody": (msgspec.structs.replace(house, redis_url=no_user), "default user"),
        "the same by name": (msgspec.structs.replace(house, redis_owner_url=house.redis_url), "are the same user"),
    }


async def test_an_api_that_would_come_in_as_the_owner_is_refused_before_anything_is_changed(stage: Backstage) -> None:
    for house, words in urls(stage).values():
        (fault,) = await too_much(house, stage.ledger)
        assert words in fault


async def test_doctor_says_it_too(parvis: Parvis, town_of_two: Town) -> None:
    as_superuser(town_of_two.servers.postgres, 'ALTER ROLE "house_zuid" CREATEDB')
    try:
        said = await asyncio.to_thread(parvis, "doctor", "--network", str(town_of_two.network_file))
        assert said.code == 1
        assert "zuid: its Postgres role house_zuid may create databases" in said.words
        assert "noord: open" in said.words
    finally:
        as_superuser(town_of_two.servers.postgres, 'ALTER ROLE "house_zuid" NOCREATEDB')


@pytest.fixture(scope="module")
def town_of_two() -> Iterator[Town]:
    running = Town(("noord", "zuid")).start()
    try:
        asyncio.run(running.until_ready())
        yield running
    finally:
        running.stop()


async def cells(town: Town) -> dict[str, str]:
    async with aiohttp.ClientSession() as session, session.get(f"{town.url}/readyz") as response:
        found: dict[str, str] = (await response.json())["cells"]
        return found


async def until_cells(town: Town, wanted: dict[str, str]) -> None:
    found: dict[str, str] = {}
    deadline = time.monotonic() + SECONDS
    while found != wanted:
        assert time.monotonic() < deadline, (found, town.log()[-3000:])
        try:
            found = await cells(town)
        except aiohttp.ClientError:
            await asyncio.sleep(0.1)
        await asyncio.sleep(0.05)


async def until_orders(town: Town, slug: str, key: str, status: int) -> None:
    """What the house's staff are answered when they ask for its orders, which only Postgres knows."""

    async def is_so() -> bool:
        url = f"{town.url}/v1/houses/{slug}/manage/orders"
        headers = {"Authorization": f"Bearer {key}"}
        async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as response:
            return response.status == status

    await until(is_so, f"{slug} answers {status}", seconds=SECONDS)


async def test_a_house_that_is_refused_sells_nothing_and_the_other_sells_on(town_of_two: Town) -> None:
    town = town_of_two
    assert await cells(town) == {"noord": "open", "zuid": "open"}
    async with await town.open_sale("zuid") as theirs:
        key = theirs.manage_key
        assert (await theirs.get("/manage/orders", token=key)).status == 200
    as_superuser(town.servers.postgres, 'ALTER ROLE "house_zuid" SUPERUSER')
    try:
        # The servers stayed up, and with them both gates.
        town.stop_serving()
        town.serve()
        await until_cells(town, {"noord": "open", "zuid": "closed"})
        await until_orders(town, "zuid", key, 503)
        await until_orders(town, "noord", town.manage_keys.get("noord", ""), 401)
        (line,) = [line for line in town.log().splitlines() if "refused to run" in line]
        assert "house_zuid is a superuser" in line
        assert "NOSUPERUSER" in line
        async with await town.open_sale("noord") as sale:
            token = await sale.enter()
            assert (await sale.hold(token, "zaal-A-1")).status == 201
        assert await cells(town) == {"noord": "open", "zuid": "closed"}
    finally:
        as_superuser(town.servers.postgres, 'ALTER ROLE "house_zuid" NOSUPERUSER')
    await until_cells(town, {"noord": "open", "zuid": "open"})
    await until_orders(town, "zuid", key, 200)
