"""Logs: one line an event on standard error, logfmt for machines, colours for a terminal. Never a local variable."""

import contextlib
import sys
from typing import Final, TextIO, cast

import structlog

LEVEL: Final = 20


class _Unfailing:
    """Standard error, whatever became of it: a pipe that nobody reads any more, or a full disk, ends no house."""

    def write(self, text: str) -> None:
        with contextlib.suppress(OSError):
            sys.stderr.write(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            sys.stderr.flush()


def configure() -> None:
    """Sets structlog up for this process. A traceback is text without locals: those hold passes and customers."""
    is_terminal = sys.stderr.isatty()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(LEVEL),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _Unfailing())),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.dev.ConsoleRenderer()
            if is_terminal
            else structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
        ],
    )
