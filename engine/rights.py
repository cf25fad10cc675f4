"""What a house's users may do and do not need. With more, one house's mistake reaches another: so it does not run.

A house that is refused stays closed and is looked at again; the others sell on. `parvis doctor` says the same.
"""

import asyncio
from typing import TYPE_CHECKING, Any, Final

import structlog

from engine.cell import Cell
from engine.errors import CellUnavailable, LedgerUnavailable, ParvisError
from engine.keys import Keys
from engine.ledger.ledger import Ledger
from engine.ledger.rights import too_much_in_postgres
from engine.network import House
from engine.redis_urls import connect, credentials

if TYPE_CHECKING:
    from redis.asyncio import Redis

EVERYBODY: Final = "default"
"""Redis's own user, who may do everything unless told otherwise."""
LOOK_SECONDS: Final = 5.0
log = structlog.get_logger()


class TooMuch(ParvisError):
    """A house's user may do more than it needs. `faults` say what is too much, and what would mend it."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _in_urls(house: House) -> list[str]:
    user, _ = credentials(house.redis_url)
    owner, _ = credentials(house.redis_owner_url)
    mend = f"write redis_url with a user of its own, such as {house.slug}, whom Parvis makes, and redis_owner_url apart"
    if user in {"", EVERYBODY}:
        return [f"its redis_url comes in as Redis's default user, who may do everything: {mend}"]
    if user == (owner or EVERYBODY):
        return [f"its redis_url and its redis_owner_url are the same user {user}: {mend}"]
    return []


async def _account(owner: "Redis", user: str) -> dict[str, Any]:
    """What Redis says of a user; nothing when there is none."""
    found = await owner.execute_command("ACL", "GETUSER", user) or {}
    pairs = found.items() if isinstance(found, dict) else zip(found[::2], found[1::2], strict=True)
    return {_text(name): value for name, value in pairs}


async def _is_open_to_all(owner: "Redis") -> bool:
    """Whether whoever reaches this Redis may do everything in it, without a password."""
    account = await _account(owner, EVERYBODY)
    return b"on" in account["flags"] and b"nopass" in account["flags"]


async def _too_much_in_redis(owner: "Redis", user: str, keys: str) -> list[str]:
    """What an API user that is there already may do, and Parvis would never have granted.

    What single commands it has on the house's keys is left to `engine.library.install`, which grants them anew:
    another release may have needed others.
    """
    account = await _account(owner, user)
    if not account:
        return []
    mighty = {
        _text(command)
        for category in ("dangerous", "admin", "scripting", "pubsub")
        for command in await owner.execute_command("ACL", "CAT", category)
    } - {"fcall", "fcall_ro"}
    mighty |= {command.partition("|")[0] for command in mighty}
    granted = [word.removeprefix("+") for word in _text(account["commands"]).split() if word.startswith("+")]
    commands = [word for word in granted if word.startswith("@") or word in mighty]
    patterns = [word for word in _text(account["keys"]).split() if word != f"~{keys}"]
    more = {
        "commands": commands,
        "keys": patterns,
        "channels": _text(account["channels"]).split(),
        "selectors": [" ".join(_text(part) for part in each) for each in account["selectors"]],
        "passwords": ["none is asked"] if b"nopass" in account["flags"] else [],
    }
    told = [f"{what}: {', '.join(words)}" for what, words in more.items() if words]
    mend = f"name another user in redis_url, or ACL DELUSER {user} and Parvis makes it as it should be"
    return (
        [f"its Redis user {user} may do more than call functions on {keys} ({'; '.join(told)}): {mend}"] if told else []
    )


async def too_much(house: House, ledger: Ledger) -> list[str]:
    """What the house's users may do and do not need. Raises `LedgerUnavailable`, `RedisError`, `OSError`."""
    faults = _in_urls(house)
    keys = Keys(house.slug)
    if not faults:
        async with connect(house.redis_owner_url, keys.cell) as owner:
            if await _is_open_to_all(owner):
                faults.append("its Redis lets everybody in without a password: set requirepass in its configuration")
            faults += await _too_much_in_redis(owner, credentials(house.redis_url)[0], keys.everything)
    return faults + await too_much_in_postgres(ledger)


async def watch_rights(house: House, ledger: Ledger) -> None:
    """For an API process: until cancelled, or all is well, asks nothing of a database whose role may do too much."""
    limits = house.limits
    while True:
        asking = Ledger(house.postgres_dsn, pool=1, timeout_ms=limits.postgres_timeout_ms)
        try:
            ledger.refusal = "; ".join(await too_much_in_postgres(asking))
        except LedgerUnavailable:
            pass  # nobody knows, and nothing can be asked either
        else:
            if not ledger.refusal:
                return
            log.error("refused to use its database", house=house.slug, too_much=ledger.refusal)
        finally:
            await asking.close()
        await asyncio.sleep(LOOK_SECONDS)


async def check_rights(house: House, ledger: Ledger) -> None:
    """Raises `TooMuch`, with the cell closed: a gate that was open before sells nothing meanwhile.

    Raises like `too_much` when a server cannot answer.
    """
    faults = await too_much(house, ledger)
    if not faults:
        return
    cell = Cell(house, is_owner=True)
    try:
        await cell.ask("cell/close", (cell.keys.cell,), (0,))
    except CellUnavailable:
        log.info("no gate to close", house=house.slug)  # this release was never open here
    finally:
        await cell.close()
    raise TooMuch(faults)
