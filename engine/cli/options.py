"""What nearly every command is told: which network file, and which of its houses; and what commands share."""

from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import uvloop
from cyclopts import Parameter, Token

from engine.errors import BadInput

Network = Annotated[Path, Parameter(name="--network", env_var="PARVIS_NETWORK", help="The network file.")]
House = Annotated[str, Parameter(name="--house", env_var="PARVIS_HOUSE", help="The house's slug.")]
Why = Annotated[str, Parameter(name=("--why", "--reason"), help="Why, for the log of what staff did.")]
"""One word for it at every command, and the API's."""
INTERRUPTED: Final = 130
"""What a shell says of a command that Ctrl-C ended."""


def _whole(_: Any, tokens: Sequence[Token]) -> int:
    """A whole number: 12.5 is not cut to 12."""
    try:
        return int(tokens[0].value)
    except ValueError:
        where = f"{tokens[0].keyword}: " if tokens[0].keyword else ""
        raise BadInput(f"{where}{tokens[0].value!r} is not a whole number") from None


Whole = Annotated[int, Parameter(converter=_whole)]
Dashed = Annotated[str, Parameter(allow_leading_hyphen=True)]
"""What may begin with a dash and be no option: one commitment in 64 does."""


def now(coroutine: Coroutine[Any, Any, Any]) -> None:
    """Does what a command asks for."""
    uvloop.run(coroutine)
