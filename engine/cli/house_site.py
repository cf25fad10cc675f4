"""A house's own website for the demo: one page on another port, with the waiting room embedded in it."""

import argparse
import asyncio
import re
import signal
from html import escape
from typing import Final

import uvloop
from aiohttp import web

PAGE: Final = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} – {name}</title><link rel="icon" href="data:,">
<style>
body{{margin:0;font:1.05rem/1.6 Georgia,serif;background:#f6f3ee;color:#20242b}}
header{{padding:2.2rem max(1.25rem,calc(50% - 22rem));background:#12324a;color:#fff}}
header p{{margin:0 0 .4rem;opacity:.85}}
h1{{margin:0;font-size:1.9rem;line-height:1.2}}
main{{max-width:44rem;margin:0 auto;padding:1.25rem}}
footer{{max-width:44rem;margin:0 auto;padding:0 1.25rem 2rem;text-align:center;font-size:.9rem;color:#5c5f66}}
code{{overflow-wrap:anywhere}}
</style></head>
<body><header><p>{name}</p><h1>{title}</h1></header>
<main><p>{lead}</p>
<script type="module" src="{parvis}/web/parvis.js"></script>
<parvis-waiting-room house="{house}" on-sale="{on_sale}"></parvis-waiting-room>
</main><footer>{note}</footer></body></html>"""
LEADS: Final = {
    "nl": "Tickets voor deze voorstelling koopt u hier, op onze eigen website.",
    "fr": "Achetez ici, sur notre propre site, vos billets pour cette représentation.",
    "de": "Karten für diese Vorstellung kaufen Sie hier, auf unserer eigenen Website.",
    "en": "Buy your tickets for this performance here, on our own website.",
}
NOTES: Final = {
    "nl": "De website van het huis, op een ander adres dan Parvis. De wachtrij is met twee regels ingevoegd:",
    "fr": "Le site de la maison, à une autre adresse que Parvis. Deux lignes y insèrent la file d’attente :",
    "de": "Die Website des Hauses, unter einer anderen Adresse als Parvis. Zwei Zeilen fügen die Warteschlange ein:",
    "en": "The house’s website, at another address than Parvis. Two lines put the queue into it:",
}
EMBEDDING: Final = '<script type="module" src="…/web/parvis.js"></script> <parvis-waiting-room house="{}" on-sale="{}">'


def language_of(accepted: str) -> str:
    """The first of a browser's `Accept-Language` that the site speaks, else Dutch."""
    wished = re.findall(r"(?:^|,)\s*([a-z]{2})", accepted.lower())
    return next((language for language in wished if language in LEADS), "nl")


def page(options: argparse.Namespace, language: str) -> str:
    """The page in a language."""
    note = f"{NOTES[language]}<br><code>{escape(EMBEDDING.format(options.house, options.on_sale))}</code>"
    facts = {name: escape(getattr(options, name)) for name in ("name", "title", "parvis", "house", "on_sale")}
    return PAGE.format(language=language, lead=LEADS[language], note=note, **facts)


async def _serve(options: argparse.Namespace) -> None:
    async def show(request: web.Request) -> web.Response:
        language = language_of(request.headers.get("Accept-Language", ""))
        return web.Response(text=page(options, language), content_type="text/html", headers={"Vary": "Accept-Language"})

    app = web.Application()
    app.router.add_get("/", show)
    runner = web.AppRunner(app, handle_signals=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", options.port).start()
    await _until_stopped()
    await runner.cleanup()


async def _until_stopped() -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()


def main() -> None:
    """Serves the page until it is told to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--name", "--title", "--parvis", "--house", "--on-sale"):
        parser.add_argument(name, required=True)
    parser.add_argument("--port", type=int, required=True)
    uvloop.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
