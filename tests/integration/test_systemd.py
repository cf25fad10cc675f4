"""The units of deploy/systemd/, read by systemd itself where it can be had: they hold, and they hold tight."""

import re
import shutil
import subprocess
from configparser import RawConfigParser
from pathlib import Path
from typing import Final

import pytest

from api.versions import VARIABLE

UNITS: Final = Path(__file__).parents[2] / "deploy" / "systemd"
EXERCISES: Final = ("systemd/*",)
ANALYZE: Final = shutil.which("systemd-analyze")
MOST_EXPOSED: Final = "20"
"""Of a hundred, as `systemd-analyze security` counts: what a service could do besides its work."""
needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="systemd is not installed (apt-get install systemd)")
SERVICES: Final = tuple(sorted(path.name for path in UNITS.glob("*.service")))


def read(name: str) -> RawConfigParser:
    parser = RawConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(UNITS / name)
    return parser


@pytest.fixture
def installed(tmp_path: Path) -> list[str]:
    """The units as they are for a house, with programs that this machine has in place of those that it has not."""
    found = []
    for path in UNITS.iterdir():
        text = re.sub(r"^(ExecStart=)\S+", r"\1/bin/true", path.read_text(), flags=re.MULTILINE)
        (tmp_path / path.name).write_text(text)
        if "@" in path.name:
            (tmp_path / path.name.replace("@", "@zeewind")).write_text(text)
        found.append(str(tmp_path / path.name.replace("@", "@zeewind")))
    return found


@needs_systemd
def test_systemd_takes_the_units_of_a_house(installed: list[str]) -> None:
    said = subprocess.run(
        [str(ANALYZE), "verify", "--man=no", "--recursive-errors=no", *installed],
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    assert "Unknown" not in said.stderr
    broken = Path(installed[0]).parent / "broken.service"
    broken.write_text("[Service]\nExecStart=/bin/nothing-of-the-kind\nProtectEverything=yes\n")
    noticed = subprocess.run([str(ANALYZE), "verify", broken], capture_output=True, text=True, check=False)
    assert noticed.returncode != 0


@needs_systemd
@pytest.mark.parametrize("service", SERVICES)
def test_a_service_can_do_little_besides_its_work(installed: list[str], service: str) -> None:
    (path,) = [each for each in installed if each.endswith(service.replace("@", "@zeewind"))]
    said = subprocess.run(
        [str(ANALYZE), "security", "--offline=true", f"--threshold={MOST_EXPOSED}", "--no-pager", path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stdout[-400:]


def test_the_command_line_takes_what_the_unit_starts() -> None:
    from engine.cli.main import app

    words = read("parvis@.service")["Service"]["ExecStart"].split()
    assert words[0].endswith("/parvis")
    filled = [word.replace("%i", "zeewind").replace("${PARVIS_PORT}", "8001") for word in words[1:]]
    asked, bound, _ = app.parse_args(filled, exit_on_error=False, print_error=False)
    assert asked.__name__ == "serve_command"
    assert bound.arguments["house"] == ("zeewind",)


@pytest.mark.parametrize("service", SERVICES)
def test_a_house_is_started_again_runs_as_nobody_else_and_is_given_time_to_end(service: str) -> None:
    section = read(service)["Service"]
    assert section["Restart"] == "always"
    assert section["User"] not in {"root", "nobody"}
    assert int(section["TimeoutStopSec"]) >= 30
    assert section["Slice"] == "parvis.slice"
    assert section["CapabilityBoundingSet"] == ""
    assert "%i" in section["StateDirectory"], "each house has a folder of its own"


def test_web_files_of_old_releases_stay_in_a_folder_of_all_houses() -> None:
    section = read("parvis@.service")["Service"]
    assert dict([section["Environment"].split("=", 1)])[VARIABLE] == "/var/lib/parvis-web"
    assert "parvis-web" in section["StateDirectory"].split(), "that lasts, and may be written"


def test_redis_is_repaired_before_it_starts_as_in_compose() -> None:
    before = read("parvis-redis@.service")["Service"]["ExecStartPre"]
    assert "redis-check-aof --fix" in before
    script = before.partition("-c ")[2].strip("'").replace("/var/lib/parvis-redis/%i", "/nowhere")
    assert subprocess.run(["sh", "-n", "-c", script], check=False).returncode == 0
    assert subprocess.run(["sh", "-c", script], check=False).returncode == 0, "with nothing there, nothing is done"
