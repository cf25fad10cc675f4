"""The user that Postgres runs as when we are root: Postgres itself refuses to be root."""

import os
import pwd
import subprocess
import time
from typing import Final

from engine.embedded.child import ServerFailed
from engine.embedded.folders import Account

NAME: Final = "parvis-postgres"
ATTEMPTS: Final = 40


def account_for_postgres() -> Account | None:
    """None unless we are root; then the user `parvis-postgres`, made on first use, without a shell or a home.

    Raises `ServerFailed` when it cannot be made.
    """
    if os.geteuid() != 0:
        return None
    command = ["useradd", "--system", "--no-create-home", "--home-dir", "/nonexistent"]
    command += ["--shell", "/usr/sbin/nologin", NAME]
    complaint = ""
    for _ in range(ATTEMPTS):
        try:
            found = pwd.getpwnam(NAME)
        except KeyError:
            try:
                complaint = subprocess.run(command, capture_output=True, text=True, check=False).stderr.strip()
            except OSError as error:
                complaint = str(error)
                break
            time.sleep(0.05)  # another process may be at it: the list of users is locked meanwhile
        else:
            return Account(NAME, found.pw_uid, found.pw_gid)
    raise ServerFailed(
        f"Postgres does not run as root, and a user for it could not be made ({complaint}). "
        "Start Parvis as another user, or name a Postgres of your own by URL."
    )
