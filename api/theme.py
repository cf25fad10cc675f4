"""How a house's pages look, in its own hands: read the theme, draft it, publish it, go back to the one before."""

from typing import Any, Final

import msgspec
from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException

from api.guards import Caller, allows, caller_of, change, changing
from api.manage_wire import Text
from api.public import logo_reply
from api.wire import Reply
from api.wire import Request as Body
from api.wire_house import LogoReply
from engine.cell import Cell
from engine.colours import style_sheet
from engine.instants import to_rfc3339
from engine.network import Colours
from engine.theme import OWN_WORDS, Logo, Theme, Themes, look_of
from engine.theming import discard_draft, go_back, new_preview, publish_draft, read_themes, save_draft

DRAFT_BYTES: Final = 256 * 1024
Call = Request[Any, Any, Any]


class ThemeReply(Reply, frozen=True, omit_defaults=False):
    """A theme: what a house has chosen; null where it leaves what the network's file says."""

    colours: Colours | None
    languages: tuple[str, ...] | None
    logo: LogoReply | None
    words: dict[str, dict[str, str]]


class PreviewReply(Reply, frozen=True, omit_defaults=False):
    """The page that shows a draft to whoever has its address, and until when."""

    page: str
    expires_at: str


class ThemesReply(Reply, frozen=True, omit_defaults=False):
    """The theme that everybody sees, the one before, the one that is being made, and what the network's file says.

    `own_words`: the words that a house may say in its own way, each with the facts that have to stand in them.
    """

    published: ThemeReply
    previous: ThemeReply | None
    draft: ThemeReply | None
    preview: PreviewReply | None
    network: ThemeReply
    own_words: dict[str, tuple[str, ...]]


class LogoRequest(Body, frozen=True):
    """A logo: a PNG or JPEG file as base64, left out for the picture that the draft (else the published theme) has."""

    alt: str
    image: bytes | msgspec.UnsetType = msgspec.UNSET


class ThemeRequest(Body, frozen=True):
    """A draft, whole: what is left out or null is as the network's file says."""

    reason: Text
    colours: Colours | None = None
    languages: tuple[str, ...] | None = None
    logo: LogoRequest | None = None
    words: dict[str, dict[str, str]] = msgspec.field(default_factory=dict)


class PublishRequest(Body, frozen=True):
    """Why the pages change."""

    reason: Text


def _theme_reply(cell: Cell, theme: Theme) -> ThemeReply:
    return ThemeReply(
        colours=theme.colours, languages=theme.languages, logo=logo_reply(cell, theme.logo), words=theme.words
    )


def _reply(cell: Cell, themes: Themes) -> ThemesReply:
    preview = None
    if themes.draft is not None:
        token, expires_at_ms = new_preview(cell, themes)
        preview = PreviewReply(page=f"/h/{cell.house.slug}?preview={token}", expires_at=to_rfc3339(expires_at_ms))
    return ThemesReply(
        published=_theme_reply(cell, themes.published),
        previous=_theme_reply(cell, themes.previous) if themes.previous else None,
        draft=_theme_reply(cell, themes.draft) if themes.draft else None,
        preview=preview,
        network=_theme_reply(cell, Theme(colours=cell.house.colours, languages=cell.house.languages)),
        own_words={name: tuple(sorted(facts)) for name, facts in OWN_WORDS.items()},
    )


@get("/theme", guards=[allows()], summary="The house's theme, its draft with a link that shows it, and the one before")
async def read_theme(request: Call) -> ThemesReply:
    """Every one of them."""
    caller = caller_of(request)
    return _reply(caller.cell, await read_themes(caller.ledger))


async def _logo(caller: Caller, asked: LogoRequest | None) -> Logo | None:
    if asked is None:
        return None
    if asked.image is not msgspec.UNSET:
        return Logo(image=asked.image, alt=asked.alt)
    now = await read_themes(caller.ledger)
    kept = (now.draft or now.published).logo
    return msgspec.structs.replace(kept, alt=asked.alt) if kept else None


@post(
    "/theme/draft",
    guards=[allows(is_plan=True)],
    status_code=200,
    request_max_body_size=DRAFT_BYTES,
    summary="Draft a theme; nobody sees it but whoever has its link",
)
async def draft_theme(request: Call, data: ThemeRequest) -> ThemesReply:
    """The themes, with the draft's link."""
    caller = await changing(request)
    draft = Theme(colours=data.colours, languages=data.languages, logo=await _logo(caller, data.logo), words=data.words)
    change = caller.change(data.reason)
    return _reply(caller.cell, await save_draft(caller.cell, caller.ledger, draft, change, caller.operation))


STEPS: Final = {"publish": publish_draft, "discard": discard_draft, "back": go_back}


async def _step(request: Call, data: PublishRequest) -> ThemesReply:
    caller = await changing(request)
    step = STEPS[request.url.path.rpartition("/")[2]]
    change = caller.change(data.reason)
    return _reply(caller.cell, await step(caller.cell, caller.ledger, change, caller.operation))


@change("/theme/publish", "Show the drafted theme to everybody")
async def publish_theme(request: Call, data: PublishRequest) -> ThemesReply:
    """The themes after it."""
    return await _step(request, data)


@change("/theme/discard", "Throw the draft of a theme away; its link ends")
async def discard_theme(request: Call, data: PublishRequest) -> ThemesReply:
    """The themes after it."""
    return await _step(request, data)


@change("/theme/back", "Show the previous theme again; today's becomes the previous one")
async def theme_back(request: Call, data: PublishRequest) -> ThemesReply:
    """The themes after it."""
    return await _step(request, data)


THEME: Final = (read_theme, draft_theme, publish_theme, discard_theme, theme_back)


@get("/h/{house:str}/theme.css", include_in_schema=False, cache_control=None)
async def theme_style(request: Call, house: str) -> Response[str]:
    """A house's colours for pages that run no script."""
    cell: Cell | None = request.app.state.cells.get(house)
    if cell is None:
        raise NotFoundException("there is no such house here")
    headers = {
        "cache-control": "public, max-age=10",
        "x-content-type-options": "nosniff",
        "content-security-policy": "default-src 'none'",
    }
    colours = look_of(cell.house, cell.catalogue.themes.published).colours
    return Response(style_sheet(colours), media_type="text/css", headers=headers)
