"""A visitor without JavaScript: an HTML page at a time, its links, and its forms with what is in them."""

import asyncio
import copy
import html
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from types import TracebackType
from typing import Any, Self
from urllib.parse import urljoin

import aiohttp
from yarl import URL

from tests.backstage import until
from tests.sale import Sale

LOOKS = 100
Attributes = dict[str, str | None]


@dataclass
class Form:
    """A form of a page: where it is sent, what its button says, and the fields as they stand."""

    method: str
    action: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    says: str = ""

    def filled(self, **changed: "str | list[str]") -> list[tuple[str, str]]:
        """Its fields, some of them changed. `q_full` stands for `q.full`, `from_` for `from`."""
        wanted = {name.replace("q_", "q.", 1).rstrip("_"): value for name, value in changed.items()}
        kept = [(name, value) for name, value in self.fields if name not in wanted]
        more = [
            (name, each) for name, value in wanted.items() for each in ([value] if isinstance(value, str) else value)
        ]
        return kept + more


class _Reader(HTMLParser):
    """Forms, links and words of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[tuple[str, str]] = []
        self.words: list[str] = []
        self._form: Form | None = None
        self._button = False
        self._select = ""
        self._link: str | None = None

    def handle_starttag(self, tag: str, attrs: "list[tuple[str, str | None]]") -> None:
        found: Attributes = dict(attrs)
        if tag == "form":
            self._form = Form(found.get("method") or "get", found.get("action") or "")
            self.forms.append(self._form)
        elif tag == "a":
            self._link = found.get("href") or ""
            self.links.append((self._link, ""))
        if self._form is None:
            return
        if tag == "button":
            self._button = True
        elif tag == "select":
            self._select = found.get("name") or ""
        elif tag == "option" and self._select:
            chosen = [each for each in self._form.fields if each[0] == self._select]
            if not chosen or "selected" in found:
                self._form.fields = [each for each in self._form.fields if each[0] != self._select]
                self._form.fields.append((self._select, found.get("value") or ""))
        elif tag == "input":
            kind = found.get("type")
            if kind not in {"checkbox", "radio"} or "checked" in found:
                self._form.fields.append((found.get("name") or "", found.get("value") or ""))

    def handle_endtag(self, tag: str) -> None:
        match tag:
            case "form":
                self._form = None
            case "button":
                self._button = False
            case "select":
                self._select = ""
            case "a":
                self._link = None

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        if self._button and self._form is not None:
            self._form.says = (self._form.says + " " + data).strip()
        if self._link is not None:
            self.links[-1] = (self._link, self.links[-1][1] + data)


class Shown:
    """A page as it came."""

    def __init__(self, status: int, url: str, headers: Any, body: str) -> None:
        self.status, self.url, self.headers, self.body = status, url, headers, body
        reader = _Reader()
        reader.feed(body)
        self.forms, self.links = reader.forms, reader.links
        self.text = re.sub(r"[^\S\xa0\u202f]+", " ", " ".join(reader.words))

    @property
    def path(self) -> str:
        return URL(self.url).path

    @property
    def orders(self) -> list[str]:
        """The ids of the orders that it tells of."""
        return re.findall(r'data-order="([0-9a-f-]{36})"', self.body)

    def form(self, says: str) -> Form:
        """The form whose button says so."""
        found = [form for form in self.forms if says in form.says]
        assert found, (says, [form.says for form in self.forms], self.text)
        return found[0]

    def link(self, says: str) -> str:
        """Where the link leads that says so."""
        found = [href for href, text in self.links if says in text]
        assert found, (says, self.links)
        return html.unescape(found[0])


class PlainVisitor:
    """A browser that runs no script and follows no refresh, with cookies of its own."""

    def __init__(self, url: str, language: str = "en", **headers: str) -> None:
        self.url = url
        self._headers = {"Accept-Language": language, **headers}
        self.jar = aiohttp.CookieJar(unsafe=True)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(cookie_jar=self.jar, headers=self._headers)
        return self

    async def __aexit__(
        self, kind: "type[BaseException] | None", error: "BaseException | None", trace: "TracebackType | None"
    ) -> None:
        assert self._session is not None
        await self._session.close()

    async def ask(self, method: str, path: str, *, follow: bool = True, **options: Any) -> Shown:
        """One request, redirects followed as a browser does."""
        assert self._session is not None
        async with self._session.request(
            method, urljoin(self.url, path), allow_redirects=follow, **options
        ) as response:
            return Shown(response.status, str(response.url), response.headers, await response.text())

    async def open(self, path: str) -> Shown:
        """Opens a page."""
        return await self.ask("GET", path)

    async def send(self, page: Shown, says: str, *, follow: bool = True, **changed: "str | list[str]") -> Shown:
        """Presses the button of a form that says so, with fields changed."""
        form = page.form(says)
        target = urljoin(page.url, form.action)
        if form.method == "get":
            return await self.ask("GET", target, params=form.filled(**changed))
        return await self.ask("POST", target, data=aiohttp.FormData(form.filled(**changed)), follow=follow)

    async def comes_in(self, sale: Sale) -> Shown:
        """From the waiting room to the seats of a sale that calls everybody."""
        page = await self.open(room(sale))
        page = await self.send(page, "Join the queue")
        page = await self.until(page, "Choose my seats")
        return await self.send(page, "Choose my seats")

    async def until(self, page: Shown, says: str) -> Shown:
        """The page once a form says so: what it shows may be a second old."""
        for _ in range(LOOKS):
            if any(says in form.says for form in page.forms):
                return page
            await asyncio.sleep(0.1)
            page = await self.open(page.url)
        raise AssertionError((says, page.text))

    async def opens_until(self, path: str, says: str) -> Shown:
        """What lies at `path`, once it says so."""
        page = await self.open(path)

        async def is_said() -> bool:
            nonlocal page
            page = await self.open(path)
            return says in page.text

        await until(is_said, says)
        return page

    def keeps(self) -> Any:
        """Every cookie, to go back to."""
        return copy.deepcopy(self.jar._cookies)

    def goes_back_to(self, kept: Any) -> None:
        """As if the answers since had never come."""
        self.jar.clear()
        for cookies in copy.deepcopy(kept).values():
            self.jar.update_cookies(cookies, URL(self.url))

    def cookie(self, sale: Sale) -> str:
        """What this visitor keeps of an on-sale."""
        found = self.jar.filter_cookies(URL(sale.town.url + room(sale)))
        return found["parvis"].value if "parvis" in found else ""


def room(sale: Sale) -> str:
    """The waiting room of a sale, without JavaScript."""
    return f"/h/{sale.slug}/{sale.on_sale}/plain"
