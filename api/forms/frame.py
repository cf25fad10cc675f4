"""The frame of every page without JavaScript: its language, the house's name, logo and colours, and its headers."""

import random
from typing import Any, Final
from urllib.parse import parse_qs, quote, urlencode

import structlog
from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar.types import Scope

from api.forms.returning import read_return
from api.forms.words import NAMES, Words, choose_language
from api.hot import Answer, header_of
from api.pages import FOLDER
from api.problems import Problem
from api.public import logo_reply
from engine.cell import Cell
from engine.instants import now_ms, to_rfc3339
from engine.network import Colours
from engine.network_checks import LANGUAGES
from engine.theme import Look, look_of

POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'{}; "
    "frame-ancestors 'none'"
)
HEADERS: Final = (
    (b"cache-control", b"no-store"),
    # Whose page it is, browsers say to ourselves alone; a place is in no address.
    (b"referrer-policy", b"same-origin"),
    (b"vary", b"Accept-Language, Cookie"),
    (b"x-content-type-options", b"nosniff"),
)
HTML: Final = b"text/html; charset=utf-8"
NETWORK: Final = Look(colours=Colours(), languages=LANGUAGES, logo=None, words={})
LEAST_PAUSE_SECONDS: Final = 5
TEMPLATES: Final = Environment(
    autoescape=True,
    loader=PackageLoader("api.forms"),
    lstrip_blocks=True,
    trim_blocks=True,
    undefined=StrictUndefined,
)
log = structlog.get_logger()


class Frame:
    """What every page shows around its content, for one request. `cell`: None on the page of all houses."""

    def __init__(self, scope: Scope, cell: Cell | None) -> None:
        self.cell = cell
        self.path: str = scope["path"]
        self._query = scope["query_string"].decode("latin-1")
        asked = parse_qs(self._query).get("language", [""])[0]
        self.look = look_of(cell.house, cell.catalogue.themes.published) if cell else NETWORK
        language = choose_language(self.look.languages, asked, header_of(scope, b"accept-language"))
        zone = cell.house.time_zone if cell else "UTC"
        self.words = Words(language, zone, self.look.words.get(language))
        self.link_query = {"language": asked} if asked == language else {}

    def comes_from(self, asked: "list[str]") -> str | None:
        """Where the visitor comes from and goes back to, of what `return_to` asks; every link goes on carrying it.

        None where nothing is asked, empty where the house does not allow it.
        """
        back = read_return(asked, self.cell.house.return_addresses) if self.cell else None
        if back:
            self.link_query |= {"return_to": back}
        return back

    def link(self, path: str, **query: Any) -> str:
        """A path of ours, in the language that was asked for."""
        said = {name: value for name, value in (self.link_query | query).items() if value not in ("", None)}
        return path + ("?" + urlencode(said, doseq=True) if said else "")

    def languages(self) -> "list[tuple[str, str, str]]":
        """Each language that is spoken here: its code, its name, and this very page in it."""
        rest = {name: values for name, values in parse_qs(self._query).items() if name != "language"}
        spoken = [language for language in self.look.languages if language in NAMES]
        return [
            (language, NAMES[language], "?" + urlencode(rest | {"language": language}, doseq=True))
            for language in spoken
        ]

    def contact(self) -> str:
        """Where somebody who helps is reached: an address to click, or nothing."""
        contact = self.cell.house.operator_contact if self.cell else ""
        if contact.startswith(("https://", "http://")):
            return contact
        if "@" not in contact or ":" in contact or " " in contact:
            return ""
        facts = {"subject": self.path, "body": f"{to_rfc3339(now_ms())} {self.path}"}
        return f"mailto:{contact}?{urlencode(facts, quote_via=quote)}"


def page(frame: Frame, template: str, *, status: int = 200, full: str = "", leads_to: str = "", **facts: Any) -> Answer:
    """A page from a template of the folder. `full`: where the same is with JavaScript, if nothing is lost by it.
    `leads_to`: the origin that a form of it may lead on to, besides ourselves.
    """
    house = frame.cell.house if frame.cell else None
    html = TEMPLATES.get_template(template).render(
        frame=frame,
        words=frame.words,
        say=frame.words.say,
        link=frame.link,
        house=house,
        logo=logo_reply(frame.cell, frame.look.logo) if frame.cell else None,
        folder=FOLDER,
        full=full,
        style=f"/h/{house.slug}/theme.css" if house else "",
        **facts,
    )
    policy = POLICY.format(f" {leads_to}" if leads_to else "").encode()
    return Answer(status, html.encode(), [*HEADERS, (b"content-security-policy", policy)], HTML)


def explain(words: Words, slug: str, facts: "dict[str, Any] | None" = None) -> str:
    """What a refusal means, in the visitor's language."""
    if words.has(f"problem.{slug}"):
        return words.say(f"problem.{slug}", **(facts or {}))
    return words.say(
        "problem.busy" if slug in {"house-busy", "cell-unavailable", "ledger-unavailable"} else "problem.generic"
    )


def problem_page(scope: Scope, cell: Cell | None, found: Problem) -> Answer:
    """A problem as a page; one that passes asks for itself again, if it was only asked for."""
    frame = Frame(scope, cell)
    frame.comes_from(parse_qs(scope["query_string"].decode("latin-1")).get("return_to", []))
    on_sale = scope["path_params"].get("on_sale")
    known = cell is not None and on_sale in cell.catalogue.on_sales
    back = f"/h/{cell.house.slug}/{on_sale}/plain" if cell and known else f"/h/{cell.house.slug}/plain" if cell else ""
    answer = page(
        frame,
        "problem.html",
        status=found.status,
        said=explain(frame.words, found.slug),
        back=back,
        is_passing=found.status == 503,
        is_read=scope.get("method") in {"GET", "HEAD"},
    )
    answer.refusal = found.slug
    if found.retry_after_s is not None:
        answer.headers.append((b"retry-after", b"%d" % found.retry_after_s))
    if found.status == 503 and scope.get("method") == "GET":
        # Everybody meets it at once: they come back one by one, and no more often than they would have come.
        pause_s = max(LEAST_PAUSE_SECONDS, found.retry_after_s or 0) * (1 + 2 * random.random())
        answer.headers.append((b"refresh", b"%d" % pause_s))
    return answer
