"""Python with what the guard's README tells one to install, and nothing else; nothing of Parvis."""

import re
import sysconfig
import venv
from importlib.metadata import distribution
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement

GUARD: Final = Path(__file__).parents[1] / "deploy" / "examples" / "guard"
INSTALL: Final = re.compile(r"^ *pip install ([\w .-]+)$", re.MULTILINE)


def told_to_install() -> list[str]:
    """What the README names, and what that takes itself."""
    (line,) = INSTALL.findall((GUARD / "README.md").read_text())
    found: list[str] = line.split()
    for name in found:  # it grows
        for word in distribution(name).requires or ():
            needed = Requirement(word)
            if needed.name not in found and (needed.marker is None or needed.marker.evaluate({"extra": ""})):
                found.append(needed.name)
    return found


def python_alone(folder: Path) -> Path:
    """A new environment's Python. What is installed there is a link to what is installed here."""
    venv.create(folder, with_pip=False, symlinks=True)
    packages = Path(sysconfig.get_path("purelib", scheme="venv", vars={"base": str(folder)}))
    for name in told_to_install():
        for top in {file.parts[0] for file in distribution(name).files or () if file.parts[0] != ".."}:
            (packages / top).symlink_to(Path(str(distribution(name).locate_file(top))))
    return folder / "bin" / "python"
