"""Making a draw: beside `lua/waiting_room/tail.lua` and `draw.lua`.

Opening a sale closes its list in one write. The draw itself is made by whoever comes by first once it is due: out of
what Redis alone knows, so that neither Postgres nor a neighbour is waited for, and everybody works out the same.
"""

import asyncio
from typing import Any, Final

import msgspec
import structlog

from engine.catalogue import PUBLIC_LINE, OnSale
from engine.cell import Cell, broken
from engine.draw import ALGORITHM, PERMUTATION, Mixed, bound, decode, encode, mix
from engine.errors import BrokenContract, CellUnavailable, Refused
from engine.instants import to_rfc3339
from engine.tree import Frontier, decode_frontier
from engine.windows import Later, ends_of
from engine.words import HouseSlug, LineName, OnSaleId

ENTRIES_A_PAGE: Final = 2_000
MISSING: Final = "-"
"""Stands for what was not revealed in time."""
REVEALED: Final = 4
"""Parts of what one house revealed, as Redis keeps it: who, its secret, the draw that it signed, its signature."""
log = structlog.get_logger()


class Drawn(msgspec.Struct, frozen=True):
    """What everybody may know of the draw of a line. `entrants` is -1 while more may join it.

    `secret`, `seed`, `root` (base64url) and `contributions` (`secret,signature` or `MISSING`, blanks between) are empty
    before it has been made; it is due at `due_at_ms`.
    `windows`: where each window ends, with a blank between; `later`: where those after the start have ended, and the
    seed of the last of these: see `engine/windows.py`.
    """

    algorithm: str
    commitment: str
    entrants: int
    due_at_ms: int
    secret: str
    seed: str
    root: str
    contributions: str
    windows: str = ""
    later: str = ""
    later_seed: str = ""

    @property
    def is_closed(self) -> bool:
        """Whether it is fixed who is in it."""
        return self.entrants >= 0

    @property
    def later_windows(self) -> Later | None:
        """Windows after the start, as far as they have ended; None where the house does not draw by windows."""
        if not self.later_seed:
            return None
        return Later(1, (self.entrants, *ends_of(self.later)), self.later_seed)

    @property
    def is_made(self) -> bool:
        """Whether every position is known."""
        return bool(self.seed)

    def is_due(self, now_ms: int) -> bool:
        """Whether somebody has to make it now."""
        return self.is_closed and not self.is_made and now_ms >= self.due_at_ms


def mixed_of(
    house: HouseSlug,
    on_sale: OnSale,
    line: LineName,
    entrants: int,
    root: str,
    contributions: str,
    windows: str = "",
) -> Mixed:
    """What is mixed with the secret of a draw."""
    contributors = on_sale.contributors_of(line)
    return Mixed(
        of=f"{house}/{on_sale.on_sale}/{line}",
        planned_at=to_rfc3339(on_sale.opens_at_of(line)),
        after_ms=on_sale.draw_after_ms,
        entrants=entrants,
        root=root,
        contributions=tuple(
            (each.house, each.commitment, secret)
            for each, (secret, _) in zip(contributors, revealed_of(contributions, len(contributors)), strict=True)
        ),
        window_seconds=on_sale.fair_window_seconds,
        anchor=on_sale.anchor_of(line),
        windows=ends_of(windows),
    )


def revealed_of(contributions: str, count: int) -> list[tuple[str, str]]:
    """Of each of so many contributors the secret, or `MISSING`, and its signature."""
    known = contributions.split(" ") if contributions else [MISSING] * count
    return [(secret, signature) for secret, _, signature in (each.partition(",") for each in known)]


def begin_draw(cell: Cell, on_sale: OnSaleId, line: LineName) -> "tuple[asyncio.Task[None], float]":
    """Begins to make a draw that is due, or finds who of this process is at it, and since when by the loop's clock.

    That it failed is logged.
    """
    making = cell.making.get((on_sale, line))
    if making is None:
        task = asyncio.create_task(_make(cell, on_sale, line))
        making = cell.making[on_sale, line] = task, asyncio.get_running_loop().time()
        task.add_done_callback(lambda done: _ended(done, cell, on_sale, line))
    return making


def _ended(task: "asyncio.Task[None]", cell: Cell, on_sale: OnSaleId, line: LineName) -> None:
    cell.making.pop((on_sale, line), None)
    error = None if task.cancelled() else task.exception()
    if error is not None:
        said = log.warning if isinstance(error, CellUnavailable | Refused) else log.error
        said("a draw was not made", house=cell.house.slug, on_sale=on_sale, line=line, why=str(error) or repr(error))


async def make_draw(cell: Cell, on_sale: OnSaleId, line: LineName) -> None:
    """Makes a draw that is due; of those who ask at once in this process one does it.

    Raises `Refused` (`unknown-on-sale`), `GateClosed`, `CellUnavailable`'s kind.
    """
    await asyncio.shield(begin_draw(cell, on_sale, line)[0])


def bound_of(house: HouseSlug, on_sale: OnSale, line: LineName, entrants: int, root: str, windows: str) -> str:
    """What fixes a draw but for what is still secret of it."""
    mixed = mixed_of(house, on_sale, line, entrants, root, "", windows)
    return bound(on_sale.commitment_of(line), mixed)


async def _make(cell: Cell, name: OnSaleId, line: LineName) -> None:
    on_sale = cell.on_sale(name)
    found = await _read(cell, name, line)
    if found is None:
        return
    entrants, secret, contributed, tree, windows = found
    if not secret:
        return  # not due yet
    root = encode(tree.root())
    of = cell.house.slug, on_sale, line, entrants, root
    contributions = in_order(on_sale, contributed, line, bound_of(*of, windows))
    seed = encode(mix(decode(secret), mixed_of(*of, contributions, windows)))
    reply = await cell.call(
        "waiting_room/draw",
        (cell.keys.cell, cell.keys.sale(name)),
        (line, entrants, root, seed, contributions),
    )
    match reply[0]:
        case b"drawn":
            if reply[1].decode() != root:
                raise BrokenContract(f"{name}: the draw's root is {reply[1]!r} in Redis, and {root} here")
        case b"early":
            return  # a recovery went by
        case b"unknown_on_sale":
            raise Refused("unknown-on-sale", "there is no such on-sale here")
        case _:
            raise broken("waiting_room/draw", reply)


def in_order(on_sale: OnSale, contributed: str, line: str, fixed: str) -> str:
    """What was revealed, in the order in which the houses are named: of those alone who signed the draw fixed so."""
    parts = contributed.split(" ") if contributed else []
    each = zip(
        *(parts[place::REVEALED] for place in range(REVEALED)), strict=False
    )  # a draw is made of whatever is there
    revealed = {house: f"{secret},{signature}" for house, secret, signed, signature in each if signed == fixed}
    return " ".join(revealed.get(each.house, MISSING) for each in on_sale.contributors_of(line))


class ClosedList(msgspec.Struct, frozen=True):
    """Who is in a draw, before it is made. `bound`: see `engine.draw.bound`."""

    entrants: int
    root: str
    bound: str


async def closed_list(cell: Cell, on_sale: OnSale, line: LineName) -> ClosedList | None:
    """Who is in the draw of a line, once its list is closed and until it is made.

    Raises `Refused` (`unknown-on-sale`), `CellUnavailable`'s kind.
    """
    found = await _read(cell, on_sale.on_sale, line)
    if found is None:
        return None
    entrants, _, _, tree, windows = found
    root = encode(tree.root())
    return ClosedList(entrants, root, bound_of(cell.house.slug, on_sale, line, entrants, root, windows))


async def _read(cell: Cell, on_sale: OnSaleId, line: LineName) -> tuple[int, str, str, Frontier, str] | None:
    """How many entrants there are, the secret, what was contributed, the whole tree and the windows.

    None where the list is not closed, and where the draw is made; the secret is empty while it is not due.
    """
    keys, tree, after = cell.keys, Frontier(), "-"
    while True:
        reply = await cell.read(
            "waiting_room/tail",
            (keys.sale(on_sale), keys.outbox, keys.frontier(on_sale, line), keys.folded),
            (on_sale, line, after, ENTRIES_A_PAGE),
        )
        match reply[0]:
            case b"tail":
                pass
            case b"made" | b"early":
                return None
            case b"unknown_on_sale":
                raise Refused("unknown-on-sale", "there is no such on-sale here")
            case _:
                raise broken("waiting_room/tail", reply)
        entrants, flat = reply[1], reply[5]
        recorded = decode_frontier(reply[4])
        if recorded.count > entrants:
            raise BrokenContract(f"{on_sale}: its tree has {recorded.count} leaves, and its draw {entrants} entrants")
        if recorded.count > tree.count:
            tree = recorded
        page = [(int(index), secret.decode()) for index, secret in zip(flat[::2], flat[1::2], strict=True)]
        last = min(entrants, max([tree.count, *(index + 1 for index, _ in page)]))
        await asyncio.to_thread(tree.fold, page, entrants if not reply[6] else last)
        after = reply[6].decode()
        if not after:
            return entrants, reply[2].decode(), reply[3].decode(), tree, reply[7].decode()


def starts_as(on_sale: OnSale) -> dict[str, str | int]:
    """The fields of an on-sale's hash that say how its draws are made; none of one that an earlier release put up."""
    if on_sale.draw != ALGORITHM:
        return {}
    window = {"fair_window_ms": on_sale.fair_window_seconds * 1000} if on_sale.fair_window_seconds else {}
    return {"draw": ALGORITHM, "draw_after_ms": on_sale.draw_after_ms, **window}


def not_drawn(on_sale: OnSale) -> Drawn:
    """What is known of a draw by the on-sale's document alone."""
    return Drawn(on_sale.draw or PERMUTATION, on_sale.commitment, -1, on_sale.opens_at_ms, "", "", "", "")


def told_of(on_sale: OnSale, draw: Drawn, line: str = PUBLIC_LINE, now_serving: int = 0) -> dict[str, Any]:
    """What is public of a draw at this moment, as it stands in the status and in the transcript.

    `now_serving`: windows after the start from which everybody has been called are left out.
    """
    contributors = on_sale.contributors_of(line)
    revealed = revealed_of(draw.contributions, len(contributors))
    told: dict[str, Any] = {
        "algorithm": draw.algorithm,
        "commitment": draw.commitment,
        "contributors": [
            {"house": each.house, "commitment": each.commitment} | ({} if secret == MISSING else {"secret": secret})
            for each, (secret, _) in zip(contributors, revealed, strict=True)
        ],
    }
    if draw.algorithm == ALGORITHM:
        told["rule"] = {"planned_at": to_rfc3339(on_sale.opens_at_of(line)), "after_ms": on_sale.draw_after_ms}
        if on_sale.fair_window_seconds:
            told["rule"] |= {"window_seconds": on_sale.fair_window_seconds, "anchor": on_sale.anchor_of(line)}
    if draw.is_closed:
        told["entrants"] = draw.entrants
        if draw.windows:
            told["windows"] = ends_of(draw.windows)
        if draw.later_windows:
            told["later"] = msgspec.structs.asdict(draw.later_windows.from_served(now_serving))
    return told | {name: getattr(draw, name) for name in ("root", "secret", "seed") if getattr(draw, name)}


def transcript_of(house: HouseSlug, on_sale: OnSale, line: LineName, draw: Drawn) -> dict[str, Any]:
    """The transcript of a draw that has been made, but for who was in it (`secret_hashes`)."""
    told = told_of(on_sale, draw, line)
    revealed = revealed_of(draw.contributions, len(told["contributors"]))
    for each, (_, signature) in zip(told["contributors"], revealed, strict=True):
        if signature:
            each["signature"] = signature
    return {"house": house, "on_sale": on_sale.on_sale, "line": line, **told}
