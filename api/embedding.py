"""The widget's files for a house's web page, for `parvis embed`: their hashes, or the files themselves.

`python -m api.embedding [SERVER FOLDER]` writes one JSON object. With a server's address and a folder the files are
written there, for the house's own web server; they speak to that server, wherever they are loaded from.
"""

import sys
from pathlib import Path

import msgspec

from api.pages import widget_files
from api.versions import Facts, facts_of, write_files


class Widget(msgspec.Struct, frozen=True):
    """A version of the widget: what it is called, and its files by name."""

    version: str
    files: dict[str, Facts]


def widget(server: str = "", folder: Path | None = None) -> Widget:
    """The widget of this release; written into `folder` if one is named. Raises `OSError`."""
    version, files = widget_files(server)
    if folder is not None:
        write_files(folder, version, files)
    return Widget(version, facts_of(files))


if __name__ == "__main__":
    named = sys.argv[1:]
    made = widget(named[0], Path(named[1])) if named else widget()
    sys.stdout.buffer.write(msgspec.json.encode(made))
