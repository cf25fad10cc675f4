"""A house's own website for the demo: one page on another port, with the waiting room embedded in it."""

import argparse
import asyncio
import signal
from html import escape
from typing import Final

import uvloop
from aiohttp import web

PAGE: Final = """<!doctype html>
<html lang="nl"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{name}</title>
<style>
body{{margin:0;font:1.05rem/1.6 Georgia,serif;background:#f6f3ee;color:#20242b}}
header{{padding:2.5rem 1.25rem;background:#12324a;color:#fff}}
main{{max-width:44rem;margin:0 auto;padding:1.25rem}}
h1{{margin:0;font-size:1.9rem;line-height:1.2}}
</style></head>
<body><header><p>{name}</p><h1>{title}</h1></header>
<main><p>Dit is de eigen website van het huis, op een ander adres dan Parvis.
De wachtkamer hieronder is met één regel ingevoegd.</p>
<script type="module" src="{parvis}/web/parvis.js"></script>
<parvis-waiting-room house="{house}" on-sale="{on_sale}"></parvis-waiting-room>
</main></body></html>"""


async def _serve(options: argparse.Namespace) -> None:
    page = PAGE.format(
        name=escape(options.name),
        title=escape(options.title),
        parvis=escape(options.parvis),
        house=escape(options.house),
        on_sale=escape(options.on_sale),
    )

    async def show(_: web.Request) -> web.Response:
        return web.Response(text=page, content_type="text/html")

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
