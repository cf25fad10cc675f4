"""A network whose houses have processes of their own: one `parvis serve --house` for each, as for a big sale."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from engine.ports import free_port
from tests.town import Town


class Apart(Town):
    """A town that shares no process; each house is at `ports[slug]`."""

    def __init__(self, slugs: Sequence[str], **settings: Any) -> None:
        super().__init__(slugs, **settings)
        self.ports = {slug: free_port() for slug in slugs}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def serve(self) -> None:
        for slug in self.slugs:
            with (self.folder / "serve.log").open("ab") as log:
                self.processes[slug] = subprocess.Popen(
                    [
                        *(sys.executable, "-m", "engine.cli", "serve", "--network", str(self.network_file)),
                        *("--house", slug, "--port", str(self.ports[slug])),
                    ],
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            self.process = self.processes[slug]

    def stop_serving(self, number: signal.Signals = signal.SIGTERM) -> None:
        for process in self.processes.values():
            process.send_signal(number)
        for process in self.processes.values():
            process.wait(20)

    async def until_ready(self) -> None:
        await asyncio.gather(*(self.until_open(f"http://127.0.0.1:{port}") for port in self.ports.values()))
