"""The shipped edge before houses that run here: `deploy/nginx.conf` with its addresses put where a test is."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

CONFIGURATION: Final = Path(__file__).parents[1] / "deploy" / "nginx.conf"
NGINX: Final = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin:/usr/local/sbin")
WHY_NOT: Final = "nginx is not installed (apt-get install nginx-light)"
TEMPORARY: Final = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
START_SECONDS: Final = 20


def edge_settings(
    folder: Path,
    origin: int,
    port: int,
    *,
    inner: int = 0,
    own: Mapping[str, int] | None = None,
    rate: int = 400,
    burst: int = 400,
) -> Path:
    """nginx.conf as shipped, on `port` before a Parvis on the port `origin`. Gives the file, in `folder`.

    inner: the port for operators; 0: none that anybody could find. own: the ports of houses that have a process of
    their own; rate, burst: each house's limit of a step.
    """
    own = own or {}
    upstreams = "".join(f"    upstream {slug} {{ server 127.0.0.1:{at}; keepalive 64; }}\n" for slug, at in own.items())
    as_shipped = "    # upstream zeewind { server zeewind:8000; keepalive 64; }\n"
    text = CONFIGURATION.read_text()
    for there, here in (
        ("http {\n", "http {\n" + "".join(f"{name}_temp_path {folder}/{name};\n" for name in TEMPORARY)),
        (as_shipped, upstreams),
        ("        # zeewind zeewind;\n", "".join(f"        {slug} {slug};\n" for slug in own)),
        ("server parvis:8000", f"server 127.0.0.1:{origin}"),
        ("listen 8080", f"listen 127.0.0.1:{port}"),
        ("listen 8081", f"listen 127.0.0.1:{inner}" if inner else f"listen unix:{folder}/inner.sock"),
        ("/var/cache/nginx/parvis", f"{folder}/cache"),
        ("/tmp/nginx.pid", f"{folder}/nginx.pid"),
        ("/dev/stdout", f"{folder}/access.log"),
        ("/dev/stderr", f"{folder}/error.log"),
        ("rate=400r/s", f"rate={rate}r/s"),
        ("zone=changes burst=400", f"zone=changes burst={burst}"),
    ):
        assert there in text, there
        text = text.replace(there, here)
    settings = folder / "nginx.conf"
    settings.write_text(text)
    folder.chmod(0o755)
    return settings


def nginx_command(settings: Path) -> list[str]:
    return [str(NGINX), "-p", str(settings.parent), "-e", f"{settings.parent}/error.log", "-c", str(settings)]


@contextlib.contextmanager
def running_edge(origin: int, port: int, **options: Any) -> Iterator[Path]:
    """An edge that listens; gives its folder, where the logs are. `options`: see `edge_settings`."""
    with tempfile.TemporaryDirectory(prefix="pe-", dir="/tmp") as name:
        folder = Path(name)
        settings = edge_settings(folder, origin, port, **options)
        process = subprocess.Popen([*nginx_command(settings), "-g", "daemon off;"])
        try:
            until_listening(port, process, folder)
            yield folder
        finally:
            process.terminate()
            process.wait(20)


def until_listening(port: int, process: "subprocess.Popen[bytes]", folder: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        assert process.poll() is None, (folder / "error.log").read_text()
        assert time.monotonic() < deadline, (folder / "error.log").read_text()
        time.sleep(0.02)
