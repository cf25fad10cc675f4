"""Logs: one line an event on standard error, logfmt for machines, colours for a terminal. Never a local variable."""

import sys
from typing import Final

import structlog

LEVEL: Final = 20


def configure() -> None:
    """Sets structlog up for this process. A traceback is text without locals: those hold passes and customers."""
    is_terminal = sys.stderr.isatty()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(LEVEL),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.dev.ConsoleRenderer()
            if is_terminal
            else structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
        ],
    )
