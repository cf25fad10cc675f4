"""What operators ask: is it alive, can it sell, how is it doing."""

import asyncio
import os
from importlib.metadata import version
from typing import Any

from litestar import Response, get
from litestar.datastructures import State
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api.metrics import REGISTRY


@get("/healthz", summary="This process is alive; names its event loop")
async def healthz() -> dict[str, Any]:
    """Always 200 from a living process."""
    loop = asyncio.get_running_loop()
    return {
        "status": "ok",
        "loop": f"{type(loop).__module__}.{type(loop).__qualname__}",
        "pid": os.getpid(),
        "version": version("parvis"),
    }


@get("/readyz", summary="Which cells can sell")
async def readyz(state: State) -> Response[dict[str, Any]]:
    """200 where at least one cell is open; each cell's own state beside it."""
    cells = {
        slug: "open" if cell.is_open and cell.client.breaker.is_closed else "closed"
        for slug, cell in state.cells.items()
    }
    is_ready = "open" in cells.values()
    return Response({"ready": is_ready, "cells": cells}, status_code=200 if is_ready else 503)


@get("/metrics", summary="Prometheus metrics", media_type=CONTENT_TYPE_LATEST)
async def metrics() -> bytes:
    """In the text format."""
    return generate_latest(REGISTRY)
