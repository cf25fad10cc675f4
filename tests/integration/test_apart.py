"""One house's own users and words, turned against another house: the servers refuse, and nothing is had."""

import asyncio
import uuid
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
import redis

from engine.address import address_of
from engine.keys import Keys
from engine.words import HouseSlug
from tests.integration.books import Books, changes
from tests.town import Sale, Town

US, THEM = "noord", "zuid"


@pytest.fixture(scope="module")
def theirs(town: Town) -> "dict[str, str]":
    """Something of the other house to be had: an order, with its customer."""

    async def gather() -> "dict[str, str]":
        async with await town.open_sale(THEM) as sale:
            token = await sale.enter()
            order = (await sale.order(token, (await sale.hold(token, "zaal-A-1")).json["hold"])).json
            await sale.until_recorded(order)
            return {"order": order["order"], "on_sale": sale.on_sale, "performance": sale.performance}

    return asyncio.run(gather())


# -- our users at their servers


def redis_as(url: str, at: str) -> redis.Redis:
    """With one URL's user and password, at the server of another."""
    account, server = address_of(url), address_of(at)
    return redis.Redis(unix_socket_path=server.path, username=account.user, password=account.password)


@pytest.mark.parametrize("who", ["redis_url", "redis_owner_url"])
def test_our_redis_users_do_not_get_into_their_redis(town: Town, who: str) -> None:
    ours, others = town.network.house(US), town.network.house(THEM)
    for at in (others.redis_url, others.redis_owner_url):
        with (
            redis_as(getattr(ours, who), at) as connection,
            pytest.raises((redis.AuthenticationError, redis.ResponseError), match=r"WRONGPASS|invalid username"),
        ):
            connection.execute_command("GET", Keys(HouseSlug(THEM)).recorded)


async def test_our_api_user_does_nothing_to_their_keys_even_on_one_server(town: Town) -> None:
    """Where two houses' cells lie on one server, the user of one is refused the keys of the other, by Redis."""
    ours, server = town.network.house(US), town.servers.redis[HouseSlug(US)]
    them = Keys(HouseSlug(THEM))
    with redis_as(ours.redis_url, server.owner_url) as connection:
        assert connection.execute_command("HGETALL", Keys(HouseSlug(US)).cell)
        for key in (them.cell, them.outbox, them.catalogue, them.recorded, them.order(uuid.uuid4().hex)):  # type: ignore[arg-type]
            for command in (("GET", key), ("HGETALL", key), ("SET", key, "x"), ("XADD", key, "*", "a", "b")):
                with pytest.raises(redis.exceptions.NoPermissionError):
                    connection.execute_command(*command)


@pytest.mark.parametrize("database", [f"house_{THEM}", "postgres", "template1"])
def test_our_postgres_role_does_not_get_into_their_database(town: Town, database: str) -> None:
    dsn = urlsplit(town.network.house(US).postgres_dsn)
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(dsn._replace(path=f"/{database}").geturl())


def test_our_password_is_not_theirs(town: Town) -> None:
    dsn = town.network.house(US).postgres_dsn
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(dsn.replace(f"//house_{US}:", f"//house_{THEM}:").replace(f"/house_{US}?", f"/house_{THEM}?"))


# -- whatever SQL somebody brought to run as our role

SQL = [
    *(
        "SET ROLE house_zuid",
        "SET SESSION AUTHORIZATION house_zuid",
        "SET ROLE postgres",
        "RESET SESSION AUTHORIZATION",
    ),
    *("GRANT house_zuid TO house_noord", "ALTER ROLE house_zuid PASSWORD 'x'", "ALTER ROLE house_noord SUPERUSER"),
    *("CREATE ROLE thief SUPERUSER", "CREATE DATABASE mine", "ALTER DATABASE house_zuid OWNER TO house_noord"),
    *("GRANT CONNECT ON DATABASE house_zuid TO house_noord", "DROP DATABASE house_zuid", "DROP OWNED BY house_zuid"),
    *(
        "REASSIGN OWNED BY house_zuid TO house_noord",
        "ALTER SYSTEM SET listen_addresses = '*'",
        "SELECT pg_reload_conf()",
    ),
    *("SELECT * FROM house_zuid.public.orders", "SELECT nextval('house_zuid.public.actions_id_seq')"),
    *("INSERT INTO house_zuid.public.orders DEFAULT VALUES", "TRUNCATE house_zuid.public.orders"),
    *("COPY orders TO PROGRAM 'cat'", "COPY orders FROM PROGRAM 'echo'", "COPY orders FROM '/etc/passwd'"),
    *("COPY (SELECT 1) TO '/tmp/parvis-stolen'", "SELECT pg_read_file('postgresql.conf')", "SELECT pg_ls_dir('base')"),
    *(
        "SELECT pg_read_binary_file('global/pg_filenode.map')",
        "SELECT lo_import('/etc/passwd')",
        "SELECT pg_stat_file('base')",
    ),
    *(
        "SELECT * FROM pg_authid",
        "SELECT * FROM pg_shadow",
        "SELECT * FROM pg_user_mapping",
        "SELECT * FROM pg_hba_file_rules",
    ),
    *("SELECT * FROM pg_ls_waldir()", "SELECT pg_switch_wal()", "SELECT pg_create_restore_point('x')"),
    *("SELECT pg_create_physical_replication_slot('x')", "CREATE SUBSCRIPTION x CONNECTION '' PUBLICATION x"),
    *("CREATE TABLESPACE x LOCATION '/tmp'", "LOAD '/tmp/x.so'", "SET session_preload_libraries = 'x'"),
    *(
        "CREATE EXTENSION dblink",
        "CREATE EXTENSION postgres_fdw",
        "CREATE EXTENSION file_fdw",
        "CREATE EXTENSION adminpack",
    ),
    *("CREATE EXTENSION plpython3u", "CREATE LANGUAGE plpython3u", "CREATE EXTENSION pg_read_everything"),
    "SELECT * FROM dblink('dbname=house_zuid', 'SELECT email FROM orders') AS t(email text)",
    "CREATE FUNCTION run(text) RETURNS int AS '/lib/x86_64-linux-gnu/libc.so.6', 'system' LANGUAGE c",
    "CREATE EVENT TRIGGER x ON ddl_command_end EXECUTE FUNCTION x()",
    "DO $$ BEGIN EXECUTE 'SET ROLE house_zuid'; END $$",
    "ALTER TABLE orders OWNER TO house_zuid",
]
HARMLESS = {"RESET SESSION AUTHORIZATION"}
"""Allowed, and one stays who one is."""
LOOKING = [
    "SELECT * FROM pg_stat_activity",
    "SELECT * FROM pg_prepared_xacts",
    "SELECT * FROM pg_stat_replication",
    "SELECT * FROM pg_settings WHERE name LIKE '%password%'",
    "SELECT * FROM pg_largeobject_metadata",
    "SELECT * FROM pg_locks",
    "SELECT * FROM pg_stats",
    "SELECT * FROM pg_sequences",
    "SELECT * FROM information_schema.tables WHERE table_catalog <> current_database()",
    "SELECT ctid, tableoid, xmin, * FROM orders",
    "SELECT query FROM pg_stat_activity WHERE datname <> current_database() AND length(query) NOT IN (0, 24)",
]
"""Allowed, and nothing of the other house is in it."""


def kept_by(town: Town, slug: str) -> "list[Any]":
    """What people have made of a house's ledger; the rest moves by itself."""
    with psycopg.connect(town.network.house(slug).postgres_dsn) as connection:
        return [
            connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2".encode()).fetchall()
            for table in ("orders", "order_items", "actions", "documents", "refund_requests")
        ]


@pytest.fixture
def our_role(town: Town) -> "Iterator[psycopg.Connection[Any]]":
    with closing(psycopg.connect(town.network.house(US).postgres_dsn, autocommit=True)) as connection:
        yield connection


@pytest.mark.parametrize("statement", SQL)
async def test_what_our_role_might_try_is_refused_by_postgres(
    town: Town, theirs: "dict[str, str]", our_role: "psycopg.Connection[Any]", statement: str
) -> None:
    before = kept_by(town, THEM)
    if statement in HARMLESS:
        our_role.execute(statement.encode())
    else:
        with pytest.raises(psycopg.Error) as refusal:
            our_role.execute(statement.encode())
        assert not isinstance(refusal.value, psycopg.errors.SyntaxError), "this was never tried"
    (who,) = our_role.execute("SELECT current_user::text || session_user::text").fetchall()
    assert who == (f"house_{US}house_{US}",)
    assert theirs["order"] in repr(before)
    assert kept_by(town, THEM) == before


@pytest.mark.parametrize("statement", LOOKING)
async def test_what_our_role_may_read_of_the_server_says_nothing_of_them(
    town: Town, theirs: "dict[str, str]", our_role: "psycopg.Connection[Any]", statement: str
) -> None:
    seen = repr(our_role.execute(statement.encode()).fetchall())
    canary = town.canaries[THEM]
    for secret in (*theirs.values(), canary.own, canary.customer):
        assert secret not in seen
    if statement.startswith(("SELECT query", "SELECT * FROM information_schema")):
        assert seen == "[]"


# -- the same by way of the API

INJECTIONS = [
    "'; SET ROLE house_zuid; SELECT * FROM orders; --",
    "' UNION SELECT email, name FROM house_zuid.public.orders --",
    "x'); COPY orders TO PROGRAM 'cat'; --",
    "'||(SELECT string_agg(email, ',') FROM orders)||'",
    "$1; DROP TABLE orders CASCADE; --",
    "\\'; SELECT pg_sleep(9); --",
    "{zuid}:cell\r\nFLUSHALL",
    "*3\r\n$3\r\nSET\r\n$11\r\n{zuid}:cell\r\n$1\r\nx\r\n",
    "return redis.call('GET', '{zuid}:cell')",
]


async def requests_with(sale: Sale, text: str) -> "list[tuple[str, str, Any, str]]":
    """Every place where somebody's text goes to a server of ours: method, path, body, token."""
    token = await sale.enter()
    held = (await sale.hold(token, *sale.unused(1))).json["hold"]
    quiet = text.replace(" ", "/**/")
    payment = {"provider": "demo", "reference": f"yes-{uuid.uuid4()}{text}"[:200]}
    key = sale.manage_key
    customer = {"email": "ada@example.org", "name": text}
    elsewhere = {"email": f"{quiet}@example.org", "name": text}
    best = [{"performance": sale.performance, "best": {"quantity": 1, "category": text}}]
    return [
        ("POST", "/orders", {"holds": [held], "customer": customer, "payment": payment}, token),
        ("POST", "/orders", {"holds": [text], "customer": customer, "payment": payment}, token),
        ("POST", "/orders", {"holds": [held], "customer": elsewhere, "payment": payment}, token),
        ("POST", "/holds", {"items": [{"performance": text, "seats": [text]}]}, token),
        ("POST", "/holds", {"items": [{"performance": sale.performance, "seats": [text]}]}, token),
        ("POST", "/holds", {"items": best}, token),
        ("POST", f"/on-sales/{sale.on_sale}/places", {"secret_hash": text}, ""),
        ("POST", f"/on-sales/{sale.on_sale}/passes", {"place": text, "secret": text}, ""),
        ("GET", f"/orders/{quiet.replace('/', '')}", None, text.replace("\r\n", " ")),
        ("GET", f"/manage/orders?after={quiet}", None, key),
        ("GET", f"/manage/actions?limit={quiet}", None, key),
        ("POST", "/manage/keys", {"name": text, "scopes": ["counter"], "reason": text}, key),
        ("POST", "/manage/halls", {"hall": text, "name": text, "plan": {}, "reason": text}, key),
        ("POST", f"/manage/on-sales/{sale.on_sale}/message", {"message": text, "reason": text}, key),
        ("POST", "/manage/customers/export", {"email": f"{quiet}@example.org", "reason": text}, key),
        ("POST", "/manage/customers/erase", {"email": f"a{quiet}@example.org", "reason": text}, key),
        ("POST", "/payments/demo/events", {"reference": text, "is_paid": True}, ""),
    ]  # fmt: skip


@pytest.mark.parametrize("text", INJECTIONS)
async def test_whatever_is_sent_is_a_value_and_never_a_command(town: Town, theirs: "dict[str, str]", text: str) -> None:
    async with await town.open_sale(US) as sale:
        with Books(town, THEM) as books:
            before = books.settled()
            answers = []
            for method, path, body, token in await requests_with(sale, text):
                answer = await sale.ask(method, path, body, token=token)
                assert answer.status < 500, (method, path, answer.body)
                answers.append(answer.body)
            assert not changes(before, books.settled())
        canary = town.canaries[THEM]
        told = b"".join(answers)
        for secret in (*theirs.values(), canary.own, canary.customer):
            assert secret.encode() not in told
        assert (await sale.get("/manage/orders", token=sale.manage_key)).status == 200
        if text.isprintable():
            order = next(each for each in answers if b"order_secret" in each)
            assert order
            orders = [each for each in await recorded(sale) if each["name"] == text]
            assert len(orders) == 1, "kept as it was sent, letter by letter"


async def recorded(sale: Sale) -> "list[dict[str, Any]]":
    """The house's orders, once the writer has caught up."""
    for _ in range(100):
        state = (await sale.get(f"/manage/on-sales/{sale.on_sale}", token=sale.manage_key)).json
        if state["backlog"] == 0:
            break
    found: list[dict[str, Any]] = []
    after = ""
    while True:
        page = (await sale.get(f"/manage/orders?limit=1000&after={after}", token=sale.manage_key)).json
        found += page["orders"]
        if "next" not in page:
            return found
        after = page["next"]
