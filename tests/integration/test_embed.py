"""`parvis embed` as a house's web person reads it, and files of the web that outlive the release that wrote them."""

import base64
import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
import tomli_w

from api.pages import VERSION, WEB, widget_files
from api.versions import VARIABLE, Versions, file_of, integrity_of, write_files

SERVER = "https://tickets.example.org"
INTEGRITY = re.compile(r'integrity="(sha384-[A-Za-z0-9+/]{64})"')
ON_SALE = ("--house", "zeewind", "--on-sale", "opening-night", "--server", SERVER + "/")


@pytest.fixture
def network(tmp_path: Path) -> Path:
    house = {
        "slug": "zeewind",
        "name": "Concertzaal Zeewind",
        "redis_url": "unix:///run/zeewind.sock",
        "postgres_dsn": "postgresql://zeewind@127.0.0.1/zeewind",
        "operator_contact": "ops@example.org",
        "policy": {"fees": "none", "refunds": "none", "delivery": "by e-mail"},
        "allowed_origins": ["https://www.zeewind.example"],
        "return_addresses": ["https://www.zeewind.example/tickets"],
    }
    path = tmp_path / "network.toml"
    path.write_text(tomli_w.dumps({"name": "Kust", "houses": [house]}))
    return path


def embed(*arguments: "str | Path") -> "tuple[int, str]":
    """The command's exit code and all that it says."""
    command = [sys.executable, "-m", "engine.cli", "embed", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


def hash_of(body: bytes) -> str:
    return f"sha384-{base64.b64encode(hashlib.sha384(body).digest()).decode()}"


def test_the_snippet_pins_the_file_that_the_server_sends(network: Path) -> None:
    code, said = embed("--network", network, *ON_SALE, "--origin", "https://www.zeewind.example")
    assert code == 0, said
    assert f'src="{SERVER}/web/{VERSION}/parvis.js" crossorigin="anonymous"' in said
    assert INTEGRITY.findall(said) == [hash_of(WEB["parvis.js"].body)]
    assert '<parvis-waiting-room house="zeewind" on-sale="opening-night">' in said
    assert f"script-src {SERVER}; connect-src {SERVER}; trusted-types parvis" in said
    assert "Not yet allowed" not in said


def test_hashes_of_every_file_are_those_of_what_is_sent() -> None:
    code, said = embed("--json")
    assert code == 0, said
    told = msgspec.json.decode(said)
    assert told["version"] == VERSION
    assert {"parvis.js", "words/nl/everywhere.json", "words/de/shop.json"} <= set(told["files"])
    for name, facts in told["files"].items():
        assert facts["integrity"] == hash_of(WEB[name].body), name
        assert facts["brotli_bytes"] == len(WEB[name].brotli), name
    assert f"/web/{VERSION}/parvis.js  {told['files']['parvis.js']['integrity']}" in embed("--hashes")[1]


def test_files_for_the_houses_own_server_speak_to_parvis_from_wherever_they_lie(network: Path, tmp_path: Path) -> None:
    code, said = embed("--network", network, *ON_SALE, "--copy", tmp_path / "files", "--at", "/static/parvis/")
    assert code == 0, said
    (whole,) = (tmp_path / "files").iterdir()
    assert whole.name != VERSION, "another server is another version"
    body = (whole / "parvis.js").read_bytes()
    assert INTEGRITY.findall(said) == [hash_of(body)]
    assert f'src="/static/parvis/{whole.name}/parvis.js"' in said
    assert f"script-src 'self'; connect-src {SERVER} 'self'; trusted-types parvis" in said
    assert f"{SERVER}/".encode() in body
    assert f"{SERVER}/".encode() not in WEB["parvis.js"].body
    assert (whole / "words" / "fr" / "everywhere.json").read_bytes() == WEB["words/fr/everywhere.json"].body
    assert not (whole / "words" / "fr" / "staff.json").exists()


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (("--origin", "https://other.example"), 'allowed_origins = ["https://other.example"]'),
        (
            ("--way", "redirect", "--return-to", "https://evil.example/x"),
            'return_addresses = ["https://evil.example/x"]',
        ),
        (("--way", "redirect", "--return-to", "https://www.zeewind.example/tickets/7"), "#pass="),
        (("--way", "guard", "--origin", "https://www.zeewind.example"), "PARVIS_GUARD_ON_SALE=opening-night"),
        (("--way", "guard"), 'return_addresses = ["https://www.example.org/parvis/return"]'),
    ],
)
def test_what_is_still_to_be_done_is_said(network: Path, arguments: tuple[str, ...], advice: str) -> None:
    code, said = embed("--network", network, *ON_SALE, *arguments)
    assert code == 0, said
    assert advice in said
    assert "'unsafe-inline';" not in said


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((), "--network, --house, --on-sale, --server: needed"),
        (("--house", "zeewind", "--on-sale", "a", "--server", "tickets.example.org"), "is not an origin"),
        (("--house", "zeewind", "--on-sale", "a b", "--server", SERVER), "no name of an on-sale"),
        (("--house", "nobody", "--on-sale", "a", "--server", SERVER), "has no house 'nobody'"),
        ((*ON_SALE, "--origin", 'https://a.example"><script>'), "is not an origin"),
    ],
)
def test_a_wish_that_cannot_be_met_is_said(network: Path, arguments: tuple[str, ...], problem: str) -> None:
    code, said = embed(*(("--network", network) if arguments else ()), *arguments)
    assert code == 2
    assert problem in said


def test_a_version_is_kept_whole_and_found_again(tmp_path: Path) -> None:
    version, files = widget_files("https://old.example")
    Versions(tmp_path).keep(version, files)
    Versions(tmp_path).keep(version, {"parvis.js": file_of("parvis.js", b"never written over")})
    kept = Versions(tmp_path)
    assert {name: kept.find(version, name) for name in files} == files
    assert [path.name for path in tmp_path.iterdir()] == [version]


@pytest.mark.parametrize("name", ["../secret", "..%2fsecret", "files.json", "parvis.js.br", "", ".", "nothing.js"])
def test_only_what_a_version_has_can_be_asked_of_it(tmp_path: Path, name: str) -> None:
    whole = write_files(tmp_path, "0123456789ab", {"parvis.js": file_of("parvis.js", b"1")})
    for suffix in ("", ".br", ".gz"):
        (tmp_path / f"secret{suffix}").write_text("nobody's")
        (whole / f"nothing.js{suffix}").write_text("put there by somebody")
    kept = Versions(tmp_path)
    assert kept.find("0123456789ab", "parvis.js") is not None
    assert kept.find("0123456789ab", name) is None
    assert kept.find("..", "secret") is None


def test_a_folder_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    Versions(tmp_path / "file").keep("0123456789ab", {"parvis.js": file_of("parvis.js", b"1")})
    assert Versions(None).find("0123456789ab", "parvis.js") is None


def test_a_hash_is_what_browsers_compare() -> None:
    # The example of the W3C's recommendation, section 1.2.
    assert integrity_of(b"alert('Hello, world.');") == (
        "sha384-H8BRh8j48O9oYatfu5AZzq6A9RINhZO5H16dQZngK7T62em8MUt1FLm52t+eX6xO"
    )


STARTS = """
import brotli, minify
compress, made = brotli.compress, []
brotli.compress = lambda body: made.append(body) or compress(body)
small = minify.string
minify.string = lambda kind, text: small(kind, text) + {added!r}
from api import pages
pages.VERSIONS.keep(pages.VERSION, pages.WEB)
print(pages.VERSION, len(pages.WEB), sum(file.body in made for file in pages.WEB.values()))
"""


def start(folder: Path, added: str = "") -> tuple[str, int, int]:
    """Version, files, and how many of them were compressed, of a release that is started."""
    words = (sys.executable, "-c", STARTS.format(added=added))
    environment = os.environ | {VARIABLE: str(folder)}
    version, files, compressed = subprocess.run(
        words, env=environment, capture_output=True, text=True, check=True
    ).stdout.split()
    return version, int(files), int(compressed)


def test_a_release_that_starts_again_compresses_nothing_again(tmp_path: Path) -> None:
    version, files, compressed = start(tmp_path)
    assert (version, files, compressed) == (VERSION, len(WEB), len(WEB))
    assert start(tmp_path) == (VERSION, len(WEB), 0)


def test_what_another_minifier_makes_of_the_same_is_another_version(tmp_path: Path) -> None:
    version, files, compressed = start(tmp_path, added="\n")
    assert version != VERSION
    assert files == compressed == len(WEB)


def test_what_changes_in_the_settings_of_queue_its_connector(network: Path) -> None:
    code, said = embed("--network", network, *ON_SALE, "--way", "known-user", "--return-to", "https://evil.example/x")
    assert code == 0, said
    assert re.search(r"queuePathPrefix  h/zeewind/[\w-]+/queue-it\n", said)
    assert "known-user.key" in said
    assert 'return_addresses = ["https://evil.example/x"]' in said
