"""The waiting room: join a line, be told where it stands, be admitted. Beside `lua/waiting_room/`."""

import asyncio
import hashlib
import hmac
import re
from typing import Any, Final

import msgspec

from engine.catalogue import PASS_LEEWAY_MS, PUBLIC_LINE, OnSale
from engine.cell import Cell, broken, digest, pack
from engine.draw import encode
from engine.drawing import Drawn, begin_draw
from engine.entries import Action, encode_action
from engine.errors import Refused
from engine.instants import to_rfc3339
from engine.lines import LineStatus
from engine.signing import Place
from engine.windows import ends_of, order_of, seed_after
from engine.words import LineName, OnSaleId

SECRET_HASH: Final = re.compile(r"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]")
"""Base64 is lenient: other alphabets, strange characters, loose last bits. A hash has one spelling."""
REPEAT_SECONDS: Final = 60
MOMENT_SECONDS: Final = 0.25
"""So long a draw is waited for: most are made by then."""
LONGEST_PAUSE_SECONDS: Final = 60
DRAW: Final = 7
"""Where the draw stands in what `waiting_room/status` answers."""
PUBLIC: Final = LineName(PUBLIC_LINE)


class Joined(msgspec.Struct, frozen=True):
    """A visitor's place: the signed token, and the arrival index from 0."""

    place: str
    line: LineName
    index: int


class Admitted(msgspec.Struct, frozen=True):
    """The pass, a JWT; when it ends by Redis's clock; and from when on it is not renewed any more, 0: it always is."""

    token: str
    expires_at_ms: int
    stay_ends_at_ms: int = 0


class Status(msgspec.Struct, frozen=True):
    """Where an on-sale stands, for everybody the same."""

    phase: str
    now_ms: int
    opens_at_ms: int
    now_serving: int
    joined: int
    rate_per_minute: int
    cap: int
    draw: Drawn
    message: str
    admitted: int
    live_passes: int
    orders: int
    takings: int
    prequeue_at_ms: int
    slowed_percent: int
    net_per_minute: int
    net_active: int
    fails: str
    why: str = ""
    """The word for what makes the wait longer than the house meant it to be; empty where nothing does."""
    rates: str = ""
    """What the rate becomes later; see `engine.schedule.steps_of`."""
    draining: int = 0
    stopped: int = 0
    leapt: str = ""
    """Of the public line."""
    lines: tuple[LineStatus, ...] = ()
    """Besides the public one."""

    @property
    def all_lines(self) -> tuple[LineStatus, ...]:
        """Each of its lines, the public one last."""
        public = LineStatus(
            line=LineName(PUBLIC_LINE),
            phase=self.phase,
            share=100 - sum(line.share for line in self.lines),
            prequeue_at_ms=self.prequeue_at_ms,
            opens_at_ms=self.opens_at_ms,
            closes_at_ms=0,
            now_serving=self.now_serving,
            joined=self.joined,
            draw=self.draw,
            leapt=self.leapt,
        )
        return (*self.lines, public)

    @property
    def entrants(self) -> int:
        """How many are in the draw; -1 while more may be."""
        return self.draw.entrants

    @property
    def seed(self) -> str:
        """What decides the order; empty before the draw has been made."""
        return self.draw.seed

    @property
    def commitment(self) -> str:
        """What was published beforehand."""
        return self.draw.commitment

    @property
    def pace_per_minute(self) -> int:
        """The rate, less what a house under pressure keeps back of it."""
        return self.rate_per_minute * (100 - self.slowed_percent) // 100


def hash_secret(secret: str) -> str:
    """What a visitor's browser sends when joining: base64url SHA-256 of the secret's text."""
    return encode(hashlib.sha256(secret.encode()).digest())


def check_secret_hash(secret_hash: str) -> None:
    """Raises `Refused` (`bad-secret-hash`)."""
    if not SECRET_HASH.fullmatch(secret_hash):
        raise Refused("bad-secret-hash", "secret_hash is not the base64url of a SHA-256")


class Admissible(msgspec.Struct, frozen=True):
    """What is known of somebody who may join. `kept_s`: how long what they showed counts; a repeat within it finds the
    same place. `person`: who they are for this house (a MAC), where each person has one place. `by`: who of the house
    joins for them, and why. `line`: which they may join; `code`: what they showed for it, and until when that counts:
    see `engine/line_codes.py`.
    """

    kept_s: int = REPEAT_SECONDS
    person: str = ""
    by: Action | None = None
    line: str = PUBLIC_LINE
    code: str = ""
    code_until_ms: int = 0


ANYBODY: Final = Admissible()


async def join(
    cell: Cell,
    on_sale: OnSale,
    secret_hash: str,
    key: str,
    who: Admissible = ANYBODY,
    *,
    is_known: bool = False,
    lost_at_ms: int | None = None,
) -> Joined:
    """Gives whoever keeps the secret the next index of a line. `is_known`: nothing new, only what Redis remembers.

    `lost_at_ms`: the cell's last loss, as of which the ledger was asked for the secret; None where it need not be.
    Raises `Refused` before the line's pre-queue, after its window and after the on-sale's end; `Recovered` where the
    ledger may know the secret from before a loss: see `engine/repeats.py`, which asks it first.
    """
    check_secret_hash(secret_hash)
    keys, name, line = cell.keys, on_sale.on_sale, LineName(who.line)
    used = (
        *(keys.cell, keys.sale(name), keys.live(name), keys.operation(digest("join", name, key))),
        *(keys.retry(name, secret_hash, line), keys.outbox, keys.persons(name), keys.stays(name)),
    )
    asked = (digest(secret_hash, line), secret_hash, name, line, 0 if is_known else cell.house.limits.line_length)
    grace_ms = on_sale.stretched_ms(on_sale.grace_seconds, is_longer=False)
    stay_ms = on_sale.stretched_ms(on_sale.stay_seconds, is_longer=False)
    known = (-1, -1)
    for _ in range(3):
        told = pack((who.kept_s, who.person, who.code, who.code_until_ms, grace_ms, stay_ms, PASS_LEEWAY_MS, *known))
        by = encode_action(who.by) if who.by else b""
        reply = await cell.call("waiting_room/join", used, (*asked, told, by), lost_at_ms=lost_at_ms)
        if reply[0] != b"drawn":
            break
        if position(cell, name, reply[2], line) is None:
            await _draw(cell, name)
        if (found := position(cell, name, reply[2], line)) is not None:
            known = (reply[2], found)
    match reply[0]:
        case b"joined":
            place = Place(name, line, reply[1], secret_hash, int(cell.epoch), who.person, reply[3])
            return Joined(place=cell.signer.sign(place), line=line, index=reply[1])
        case b"not_yet_open":
            raise Refused("queue-not-open", "the queue is not open yet", opens_at=to_rfc3339(reply[1]))
        case b"ended":
            raise Refused("sale-ended", "this sale has ended", phase=reply[1].decode())
        case b"code_used":
            raise Refused("code-used", "this code or invitation has given its place already")
        case b"drawn":
            raise Refused("house-busy", "the order is being drawn", retry_after_s=1)
        case b"code_ended":
            raise Refused("invitation-ended", "this invitation has ended")
        case b"line_over":
            raise Refused("line-over", "this queue is closed", closes_at=to_rfc3339(reply[1]))
        case b"unknown_line":
            raise Refused("unknown-line", "this on-sale has no such queue")
        case b"line_full":
            raise Refused("queue-full", "the queue is as long as it may become", retry_after_s=60)
        case b"unknown_on_sale":
            raise Refused("unknown-on-sale", "there is no such on-sale here")
    raise broken("waiting_room/join", reply)


def _text(value: Any) -> Any:
    """What Redis says, in text."""
    if isinstance(value, list):
        return list(map(_text, value))
    return value.decode() if isinstance(value, bytes) else value


def _drawn(cell: Cell, on_sale: OnSaleId, line: str, values: list[Any]) -> Drawn:
    """A line's draw, with the seed of its last window after the start that has ended."""
    draw = Drawn(*values)
    if not draw.is_made or not draw.windows:
        return draw
    seed = seed_after(cell.signer, on_sale, line, len(draw.later.split()))
    return msgspec.structs.replace(draw, later_seed=seed)


async def status(cell: Cell, on_sale: OnSaleId) -> Status:
    """Where the on-sale stands now. Raises `Refused` (`unknown-on-sale`)."""
    reply = await cell.read("waiting_room/status", (cell.keys.sale(on_sale), cell.keys.live(on_sale)))
    match reply[0]:
        case b"status":
            values: list[Any] = list(map(_text, reply[1:]))
            values[DRAW] = _drawn(cell, on_sale, PUBLIC_LINE, values[DRAW])
            for line in values[-1]:
                line[-2] = _drawn(cell, on_sale, line[0], line[-2])
            values[-1] = tuple(LineStatus(*line) for line in values[-1])
            return Status(*values)
        case b"unknown_on_sale":
            raise Refused("unknown-on-sale", "there is no such on-sale here")
    raise broken("waiting_room/status", reply)


async def serve(cell: Cell, on_sale: OnSaleId) -> dict[str, int]:
    """Calls whom the rate allows now. Answers the number being served by line, as it is written down: it never falls.

    Raises `Refused` (`unknown-on-sale`), `GateClosed`.
    """
    keys = cell.keys
    reply = await cell.call("waiting_room/serve", (keys.cell, keys.sale(on_sale), keys.live(on_sale)))
    match reply[0]:
        case b"serving":
            return {PUBLIC_LINE: reply[1]} | dict(zip(map(_text, reply[2][::2]), reply[2][1::2], strict=True))
        case b"unknown_on_sale":
            raise Refused("unknown-on-sale", "there is no such on-sale here")
    raise broken("waiting_room/serve", reply)


async def drawn_status(cell: Cell, on_sale: OnSaleId, *, wait_s: float = MOMENT_SECONDS) -> Status:
    """Where the on-sale stands now; a draw that is due is begun, and waited for in its first moment alone: it is made
    by then unless much of the list is still in the outbox, and whoever comes later is told that it is not made yet.

    Raises as `status`.
    """
    now = await status(cell, on_sale)
    due = [line.line for line in now.all_lines if line.draw.is_due(now.now_ms)]
    if not due:
        return now
    making = [begin_draw(cell, on_sale, line) for line in due]
    until = max(since for _, since in making) + wait_s
    await asyncio.wait([task for task, _ in making], timeout=max(0, until - asyncio.get_running_loop().time()))
    return await status(cell, on_sale)


async def _draw(cell: Cell, on_sale: OnSaleId) -> None:
    """Remembers each line's draw once it has been made; within an epoch more windows end, and nothing else changes."""
    for line in (await drawn_status(cell, on_sale)).all_lines:
        if line.draw.is_made:
            draw = line.draw
            order = order_of(draw.seed, draw.entrants, ends_of(draw.windows), draw.later_windows)
            cell.draws[on_sale, line.line] = order


def position(cell: Cell, on_sale: OnSaleId, index: int, line: LineName = PUBLIC) -> int | None:
    """The position of an index where this process knows the draw, and that its window has ended; else None."""
    drawn = cell.draws.get((on_sale, line))
    return None if drawn is None else drawn.position(index)


def ask_again_s(on_sale: OnSale, wait_ms: int) -> int:
    """When to ask again who is called in so long, as far as is known now (0: nobody can say). The pace may rise
    meanwhile, and a turn is not to be missed for that: so it is half a turn at most.
    """
    longest = max(1, min(LONGEST_PAUSE_SECONDS, on_sale.turn_seconds // 2))
    return min(longest, -(-wait_ms // 1000)) if wait_ms > 0 else longest


def moved_elsewhere() -> Refused:
    """The refusal for whoever has a pass that another device of theirs has taken over since."""
    return Refused("moved-elsewhere", "you went on on another device; you can go on here again")


async def newest(cell: Cell, on_sale: OnSaleId, claim: str) -> int:
    """Until when a pass (see `Owner.claim`) opens anything, by Redis's clock; 0 where it does not any more, or is none.

    Raises `Refused` (`moved-elsewhere`) where it is no longer the newest of its place.
    """
    if not claim:
        return 0
    reply = await cell.read("waiting_room/newest", (cell.keys.live(on_sale),), (claim,))
    match reply[0]:
        case b"here":
            return int(reply[1])
        case b"pass_ended":
            return 0
        case b"moved":
            raise moved_elsewhere()
    raise broken("waiting_room/newest", reply)


async def admit(
    cell: Cell, on_sale: OnSale, token: str, secret: str, key: str, *, renews: str = "", is_longer: bool = False
) -> Admitted:
    """Lets in the visitor whose turn it is, or renews the pass of one who is in.

    `renews`: the pass that is to be renewed, alive or not: refused where another device has gone on since, while a
    claim without it takes over. `is_longer`: for whoever asks for more time, and whose pass says that they did.
    Raises `ForgedToken` for a place or a pass that is not ours, `Refused` when it is not the visitor's turn.
    """
    place = cell.signer.read(Place, token)
    name = on_sale.on_sale
    if place.on_sale != name or not hmac.compare_digest(place.secret_hash, hash_secret(secret)):
        raise Refused("not-your-place", "this place and this secret do not belong together here")
    former = cell.signer.read_pass(renews) if renews else None
    owner, person = cell.signer.pseudonym(place), place.person
    if former and person and former.owner == cell.signer.former_pseudonym(place):
        # Whom an earlier release let in is who they were until they are out: what they have reserved is theirs.
        owner, person = former.owner, ""
    if former and (former.on_sale, former.owner) != (name, owner):
        raise Refused("not-your-place", "this place and this pass do not belong together here")
    is_longer = is_longer or (former is not None and former.is_longer)
    keys = cell.keys
    operation = keys.operation(digest("admit", name, key))
    asked = digest(token, renews, str(is_longer)) if renews or is_longer else digest(token)
    pass_ms = on_sale.stretched_ms(on_sale.pass_seconds, is_longer=is_longer)
    grace_ms = on_sale.stretched_ms(on_sale.grace_seconds, is_longer=is_longer)
    kept_ms = on_sale.stretched_ms(on_sale.grace_seconds, is_longer=True)
    renewed = former.generation if former else -1
    stay_ms = on_sale.stretched_ms(on_sale.stay_seconds, is_longer=is_longer)
    times = (pass_ms, PASS_LEEWAY_MS, stay_ms, grace_ms, kept_ms)
    terms = pack((*times, renewed, place.joined_at_ms, person))
    used = (
        *(keys.cell, keys.sale(name), keys.live(name), keys.claimed(name, place.line), operation),
        *(keys.persons(name), keys.stays(name)),
    )
    for _ in range(2):
        drawn = cell.draws.get((name, place.line))
        rank = drawn.position(place.index) if drawn else 0
        reply = await cell.call(
            "waiting_room/admit",
            used,
            (
                asked,
                place.line,
                place.index,
                -1 if rank is None else rank,
                drawn.entrants if drawn else -1,
                terms,
            ),
        )
        if reply[0] != b"drawn":
            break
        await _draw(cell, name)
    match reply[0]:
        case b"admitted" | b"renewed":
            expires_at_ms = reply[1] - PASS_LEEWAY_MS
            signed = cell.signer.sign_pass(
                *(place, expires_at_ms, reply[2]),
                is_longer=is_longer,
                claimed_at_ms=expires_at_ms - pass_ms,
                stay_ends_at_ms=reply[3],
                owner=owner,
            )
            return Admitted(token=signed, expires_at_ms=expires_at_ms, stay_ends_at_ms=reply[3])
        case b"stay_over":
            ended = to_rfc3339(reply[1])
            raise Refused("stay-over", "a place lets somebody stay so long; join the queue again", ended_at=ended)
        case b"moved":
            raise moved_elsewhere()
        case b"not_yet":
            wait = ask_again_s(on_sale, reply[2])
            facts = {"position": rank} if drawn and rank is not None else {}
            raise Refused(
                "not-yet-served", "it is not your turn yet", now_serving=reply[1], retry_after_s=wait, **facts
            )
        case b"paused":
            raise Refused("paused", "the sale is paused; you keep your turn", retry_after_s=5)
        case b"full":
            raise Refused("full", "it is your turn, and everybody inside is still choosing", retry_after_s=2)
        case b"paced":
            wait = -(-reply[1] // 1000)
            raise Refused("full", "it is your turn, and others are going in just now", retry_after_s=wait)
        case b"gone":
            raise Refused("turn-over", "your turn ended some time ago; you can join the queue again")
        case b"ended":
            raise Refused("sale-ended", "this sale has ended", phase=reply[1].decode())
        case b"unknown_on_sale":
            raise Refused("unknown-on-sale", "there is no such on-sale here")
        case b"unknown_line":
            raise Refused("unknown-line", "this on-sale has no such queue")
        case b"drawn":
            raise Refused("not-yet-served", "the order is being drawn", now_serving=0, retry_after_s=1)
    raise broken("waiting_room/admit", reply)
