"""What nearly every command is told: which network file, and which of its houses."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

Network = Annotated[Path, Parameter(name="--network", env_var="PARVIS_NETWORK", help="The network file.")]
House = Annotated[str, Parameter(name="--house", env_var="PARVIS_HOUSE", help="The house's slug.")]
