"""How a page without JavaScript is asked for and answered: `Visit`, and the way in that all of them share.

A form changes something only for whoever it was made for. It carries a token that belongs to the secret in the
visitor's cookie; another site can neither read the one nor send the other along (`SameSite`), and what a browser tells
of where a form comes from (`Sec-Fetch-Site`, `Origin`) must be ourselves.
"""

import hmac
from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec
from litestar.types import Scope

from api.boards import Boards
from api.forms.frame import Frame, page, problem_page
from api.forms.kept import (
    LARGEST_BYTES,
    NAME,
    BasketHold,
    basket_of,
    cookie,
    fresh,
    pack_kept,
    place_of,
    read_cookie,
    unpack_kept,
)
from api.forms.returning import with_pass
from api.forms.situation import seen_from
from api.hot import Answer, Call, Headers, Served, header_of, lay
from api.neighbours import forwarded_scheme
from api.problems import Problem
from api.wire_status import StatusReply
from engine.catalogue import PUBLIC_LINE
from engine.cell import Cell
from engine.errors import Refused
from engine.instants import from_rfc3339
from engine.known_user import known_user
from engine.pressure import Level
from engine.signing import Place

ROOM: Final = "/h/{house:str}/{on_sale:str}/plain"
FORM: Final = "application/x-www-form-urlencoded"
MOST_FIELDS: Final = 500
OURSELVES: Final = frozenset({"same-origin", "none"})
_decode_status: Final = msgspec.json.Decoder(StatusReply).decode


class Fields:
    """The fields of a form, or of an address's query."""

    def __init__(self, text: str) -> None:
        """Raises `ValueError` for too many."""
        self._pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS)

    def get(self, name: str) -> str:
        """The first of a name, without blanks around it, or an empty string."""
        return next((value.strip() for key, value in self._pairs if key == name), "")

    def all(self, name: str) -> list[str]:
        """Every one of a name."""
        return [value for key, value in self._pairs if key == name]

    def under(self, prefix: str) -> dict[str, str]:
        """By what follows `prefix` in their names."""
        return {key.removeprefix(prefix): value for key, value in self._pairs if key.startswith(prefix)}


class Visit:
    """One request of a visitor to the pages of an on-sale: who they are, what they keep, in which language."""

    def __init__(self, call: Call) -> None:
        """Raises `Refused` for an on-sale that there is not."""
        scope = call.scope
        self.call, self.cell = call, call.cell
        self.on_sale = self.cell.on_sale(call.parameters["on_sale"])
        self.frame = Frame(scope, self.cell)
        self.words = self.frame.words
        self.query = query_of(scope)
        self.room = f"/h/{self.cell.house.slug}/{self.on_sale.on_sale}/plain"
        self.back = self.frame.comes_from(self.query.all("return_to"))
        """Where the visitor comes from and goes back to with the pass; empty where the house does not allow it."""
        self.is_secure = is_secure(scope)
        self._cookie_name = f"__Secure-{NAME}" if self.is_secure else NAME
        self._brought = read_cookie(call.header(b"cookie"), self._cookie_name)
        kept = unpack_kept(self._brought) if self._brought else None
        self.has_cookie = kept is not None
        self.place: Place | None = place_of(self.cell, self.on_sale.on_sale, kept) if kept else None
        is_from_elsewhere = kept is not None and kept.place != "" and self.place is None
        self.kept = fresh() if kept is None or is_from_elsewhere else kept
        self.fields = Fields("")

    async def status(self) -> StatusReply:
        """The public status as whoever stands in the visitor's line sees it, at most a second old.

        Raises `CellUnavailable`'s kind.
        """
        boards: Boards = self.boards
        found = boards.known_status(self.on_sale.on_sale) or await boards.status(self.on_sale.on_sale)
        return seen_from(_decode_status(found.body), self.place.line if self.place else PUBLIC_LINE)

    @property
    def boards(self) -> Boards:
        """The house's boards."""
        boards: Boards = self.call.scope["litestar_app"].state.boards[self.cell.house.slug]
        return boards

    def basket(self, status: StatusReply) -> list[BasketHold]:
        """What the visitor holds, by the house's clock."""
        return basket_of(self.cell, self.place, self.kept, from_rfc3339(status.server_time))

    def has_pass(self, status: StatusReply) -> bool:
        """Whether it is their turn, as far as a page has to know: Redis decides."""
        return bool(self.kept.pass_) and self.kept.pass_ends_at_ms > from_rfc3339(status.server_time)

    @property
    def token(self) -> str:
        """What this visitor's forms carry."""
        return self.cell.signer.derive("form", self.kept.secret)[:22]

    def keep(self, **changed: Any) -> None:
        """Changes what the visitor keeps; it goes along with the answer."""
        self.kept = msgspec.structs.replace(self.kept, **changed)

    def fits(self) -> bool:
        """Whether a browser will keep it."""
        return len(pack_kept(self.kept)) <= LARGEST_BYTES

    def _headers(self) -> Headers:
        value = pack_kept(self.kept)
        if value == self._brought:
            return []
        return [(b"set-cookie", cookie(self._cookie_name, value, self.room, is_secure=self.is_secure))]

    def show(self, template: str, *, status: int = 200, refresh_s: int = 0, **facts: Any) -> Answer:
        """A page. `refresh_s`: after so long it asks for itself again; 0: it does not."""
        answer = page(self.frame, template, status=status, token=self.token, room=self.room, **facts)
        answer.headers += self._headers()
        if refresh_s:
            answer.headers.append((b"refresh", b"%d" % refresh_s))
        return answer

    @property
    def way_back(self) -> str:
        """The page that leads back with the pass; empty without either."""
        return self.frame.link(f"{self.room}/back") if self.back and self.kept.pass_ else ""

    async def go_back(self) -> Answer:
        """Back to the house's own website. Raises `Refused` where a pass that has ended leads no further."""
        event, token = self.on_sale.known_user_event, self.kept.pass_
        known = (await known_user(self.cell, self.on_sale, token)).token if event else ""
        address = with_pass(self.back or "", token, known)
        return Answer(303, b"", [(b"location", address.encode()), (b"cache-control", b"no-store"), *self._headers()])

    def go(self, path: str = "", **query: Any) -> Answer:
        """On to a page of this on-sale: what was done is done, and asking for the page again does nothing twice."""
        target = self.room + path + spell_query(self.frame.link_query | query)
        return Answer(303, b"", [(b"location", target.encode()), (b"cache-control", b"no-store"), *self._headers()])

    def step_aside(self, problem: str = "") -> Answer:
        """The pass here opens nothing any more, as another device of theirs has gone on (`problem`: or why else): it is
        given up. Coming in again makes it good, with a key of its own, as an earlier answer would be an earlier pass.
        """
        self.keep(pass_="", made=self.kept.made + 1)
        return self.go(problem=problem or MOVED)

    async def read_form(self) -> None:
        """Reads the body into `fields`. Raises `Refused` for a form that is not one of this visitor's own."""
        if self.call.header(b"content-type").partition(";")[0].strip().lower() != FORM:
            raise Refused("wrong-content-type", "a form is sent as application/x-www-form-urlencoded")
        body = await self.call.raw_body()
        try:
            self.fields = Fields(body.decode())
        except ValueError as error:
            raise Refused("bad-body", "this is not one of our forms") from error
        if not self.has_cookie:
            raise Refused("cookie-needed", "a cookie keeps the visitor's place, and none came along")
        if not comes_from_ourselves(self.call.scope) or not hmac.compare_digest(
            self.fields.get("token").encode(), self.token.encode()
        ):
            raise Refused("forged-form", "this form was not made for this visitor")


def policy_of(visit: Visit, name: str) -> str:
    """What the house says of `fees`, `refunds` or `delivery`: in this language, else as its network file does."""
    own = visit.frame.look.words.get(visit.words.language, {}).get(f"own.{name}")
    said: str = own or getattr(visit.cell.house.policy, name)
    return said


def comes_from_ourselves(scope: Scope) -> bool:
    """Whether what the browser says of where a form comes from, if it does, names us."""
    site, origin = header_of(scope, b"sec-fetch-site"), header_of(scope, b"origin")
    if site:
        return site in OURSELVES
    # The port is left out: proxies do, when they pass on the host.
    return not origin or urlsplit(origin).hostname == urlsplit("//" + header_of(scope, b"host")).hostname


def is_secure(scope: Scope) -> bool:
    """Whether the visitor's browser speaks TLS, to us or to an edge that we trust."""
    return forwarded_scheme(scope) == "https"


def query_of(scope: Scope) -> Fields:
    """An address's query; an empty one where it cannot be read."""
    try:
        return Fields(scope["query_string"].decode())
    except ValueError:
        return Fields("")


def spell_query(query: "dict[str, Any]") -> str:
    """A query as it stands behind an address, with its question mark; nothing for what is empty."""
    said = {name: value for name, value in query.items() if value not in ("", None, [], ())}
    return "?" + urlencode(said, doseq=True) if said else ""


Handler = Callable[[Visit], Awaitable[Answer]]
MOVED: Final = "moved-elsewhere"
NOBODY, IN_LINE, IN_TURN = "nobody", "in line", "in turn"
"""Whom a form is for: everybody with a cookie; whoever has a place; whose turn it is."""


class Form(msgspec.Struct, frozen=True):
    """A form as it is listed: where it is sent, and for whom it is."""

    path: str
    needs: str


FORMS: Final[list[Form]] = []
PATHS: Final[list[str]] = []


async def go_to_room(visit: Visit) -> Answer:
    """For whoever asks for the address of a form."""
    return visit.go()


def tell_people(scope: Scope, cell: Cell | None, found: Problem) -> Answer:
    """Tells a problem as a page."""
    return problem_page(scope, cell, found)


def pages(
    path: str,
    name: str,
    *,
    show: Handler = go_to_room,
    act: Handler | None = None,
    needs: str = NOBODY,
    sheds: Level | None = None,
) -> None:
    """Lays the page at a path of an on-sale, and what a form sent there does. `needs`: for whom the form is."""

    async def get(call: Call) -> Answer:
        return await show(Visit(call))

    async def post(call: Call) -> Answer:
        visit = Visit(call)
        await visit.read_form()
        if needs != NOBODY and visit.place is None:
            return visit.go()
        if needs == IN_TURN and not visit.kept.pass_:
            return visit.go(problem="pass-required")
        return await act(visit) if act else visit.go()

    served: Served = {"GET": (get, None)}
    if act is not None:
        served["POST"] = (post, sheds)
        FORMS.append(Form(ROOM + path, needs))
    PATHS.append(ROOM + path)
    lay(ROOM + path, name, served, tell=tell_people, is_public=None)
