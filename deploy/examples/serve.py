"""A house's own website with the examples beside this file, on an origin of its own and under a strict policy.

    python deploy/examples/serve.py --parvis http://127.0.0.1:8000 --house klinker --on-sale koor --port 8100

Its origin has to be in the network file: `allowed_origins = ["http://localhost:8100"]` for the component, and
`return_addresses = ["http://localhost:8100/redirect/back.html"]` for the redirect.
"""

import argparse
import json
import re
import subprocess
import sys
from html import escape
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import jwt

HERE: Final = Path(__file__).parent
FILLED: Final = re.compile(rb"\{\{(\w+)\}\}")
LONGEST_PASS: Final = 4096


def policy(parvis: str, framed_by: str) -> str:
    """What the house's pages allow: their own files, and Parvis. Nothing inline, no strings as scripts."""
    return (
        f"default-src 'none'; script-src 'self' {parvis}; connect-src 'self' {parvis}; style-src 'self'; "
        f"img-src 'self'; frame-src http://localhost:*; frame-ancestors {framed_by}; base-uri 'none'; "
        "form-action 'none'; require-trusted-types-for 'script'; trusted-types parvis"
    )


def widget() -> dict[str, Any]:
    """The version of the component and the hashes of its files."""
    command = [sys.executable, "-m", "engine.cli", "embed", "--json"]
    found: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return found


class Site(SimpleHTTPRequestHandler):
    """The house's website: the files of this folder, with the facts filled in."""

    options: argparse.Namespace
    facts: dict[str, str]
    extensions_map = SimpleHTTPRequestHandler.extensions_map | {".js": "text/javascript", ".json": "application/json"}

    def translate_path(self, path: str) -> str:
        """The house's copy of Parvis's files lies in a folder of its own."""
        if self.options.copied and path.startswith("/parvis/"):
            self.directory, path = str(self.options.copied), path.removeprefix("/parvis")
        else:
            self.directory = str(HERE)
        return super().translate_path(path)

    def do_GET(self) -> None:
        """Sends a page with its facts, or a file."""
        path = Path(self.translate_path(self.path))
        if path.is_dir():
            path /= "index.html"
        if path.suffix != ".html" or not path.is_file():
            super().do_GET()
            return
        body = FILLED.sub(lambda found: escape(self.facts[found[1].decode()]).encode(), path.read_bytes())
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        """Takes a pass from the page that a visitor came back to, and says until when it is good."""
        length = int(self.headers.get("Content-Length", 0))
        token = self.rfile.read(length).decode("ascii", "replace") if length <= LONGEST_PASS else ""
        try:
            claims = read_pass(token, self.options)
            self.send_response(200)
        except (jwt.PyJWTError, ValueError):
            claims = {}
            self.send_response(403)
        body = json.dumps({"until": claims.get("exp")}).encode()
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def end_headers(self) -> None:
        """Every answer has the policy."""
        self.send_header("Content-Security-Policy", policy(self.options.parvis, self.options.framed_by))
        self.send_header("Referrer-Policy", "same-origin")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
        """Says nothing."""


def read_pass(token: str, options: argparse.Namespace) -> dict[str, Any]:
    """A pass's claims, checked with the house's public keys. Raises `jwt.PyJWTError`."""
    keys: jwt.PyJWKClient = options.keys
    claims: dict[str, Any] = jwt.decode(
        token,
        keys.get_signing_key_from_jwt(token).key,
        algorithms=["ES256"],
        audience=f"{options.house}/{options.on_sale}",
        issuer=options.house,
        options={"require": ["exp", "aud", "iss", "sub"]},
    )
    return claims


def main() -> None:
    """Serves until it is told to stop."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("--parvis", "--house", "--on-sale"):
        parser.add_argument(name, required=True)
    parser.add_argument("--port", type=int, default=8100)
    parser.add_argument("--framed-by", default="'none'", help="origins that may frame the house's pages")
    parser.add_argument("--copied", type=Path, help="a folder of `parvis embed --copy`, served under /parvis/")
    parser.add_argument("--script", default="", help="where the component is; left out, at Parvis")
    parser.add_argument("--integrity", default="", help="its hash; left out, as this release has it")
    options = parser.parse_args()
    options.keys = jwt.PyJWKClient(f"{options.parvis}/v1/houses/{options.house}/.well-known/jwks.json")
    if not (options.script and options.integrity):
        ours = widget()
        options.script = options.script or f"{options.parvis}/web/{ours['version']}/parvis.js"
        options.integrity = options.integrity or ours["files"]["parvis.js"]["integrity"]
    Site.options = options
    Site.facts = {
        "parvis": options.parvis,
        "house": options.house,
        "on_sale": options.on_sale,
        "origin": f"http://localhost:{options.port}",
        "script": options.script,
        "integrity": options.integrity,
    }
    server = ThreadingHTTPServer(("127.0.0.1", options.port), Site)
    print(
        *(f"{Site.facts['origin']}/{folder}/" for folder in ("component", "seat-map", "redirect")), sep="\n", flush=True
    )
    server.serve_forever()


if __name__ == "__main__":
    main()
