"""`python -m engine.cli` is `parvis`."""

from engine.cli.main import run

run()
