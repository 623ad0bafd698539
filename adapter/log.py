"""Writes what happens as JSON lines to standard error, by allow-lists: a closed list of events and of keys.

Nothing else can enter a line: no content of a record, no case number, no query of a URL, whatever a caller passes and
however a library words its error (design.md section 6, *logs, metrics*). What is dropped is counted, not shown.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime
from typing import Any, TextIO

import structlog

EVENTS = frozenset(
    {
        "started", "stopping", "stopped", "request", "failed",
        "claimed", "delivered", "unchanged", "postponed", "settled", "withdrawn", "refused", "lost",
        "polled", "subscribed", "notified", "received", "saved", "deleted", "retried", "paused", "resumed", "alarm",
    }
)  # fmt: skip
"""Everything that a line can say has happened; any other event becomes `other`."""

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_ROUTE = re.compile(r"[A-Z]{3,7} (/([a-z_.$-]{1,40}|<[a-z_:]{1,40}>))+/?|[A-Z]{3,7} /")
_TERM = re.compile(r"[a-z][a-z-]{0,39}")
_RANDOM = re.compile(r"[0-9a-fA-F-]{16,64}")
_ERROR = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")

Keep = Callable[[Any], Any]


def _fitting(form: re.Pattern[str]) -> Keep:
    return lambda value: value if isinstance(value, str) and form.fullmatch(value) else None


def _number(value: Any) -> Any:
    return round(value, 6) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _error(value: Any) -> Any:
    """The name of an exception's class, never its text."""
    name = value if isinstance(value, str) else type(value).__name__
    return name if _ERROR.fullmatch(name) else None


KEYS: dict[str, Keep] = {
    "partner": _fitting(_WORD),      # the id of a partner file
    "share": _number,      # the number of a share's row, which means nothing outside the database
    "outcome": _fitting(_TERM),      # one word of core/retry.py
    "operation": _fitting(_TERM),    # create, update, delete
    "role": _fitting(_TERM),         # of the token that called
    "request_id": _fitting(_RANDOM),   # random, hexadecimal
    "route": _fitting(_ROUTE),       # the method and the pattern: GET /api/cases/<case>
    "worker": _fitting(_WORD),
    "version": _fitting(_WORD),
    "error": _error,
    "attempts": _number,
    "status": _number,     # of HTTP
    "seconds": _number,
    "count": _number,
    "size": _number,       # bytes
    "port": _number,
}  # fmt: skip
"""Every key that a line can have, with what keeps its value in form; what does not fit is dropped."""


def logger(
    stream: TextIO | None = None, *, clock: Callable[[], datetime] | None = None
) -> structlog.typing.FilteringBoundLogger:
    """A logger of its own: no library's log lines join it."""
    bound: structlog.typing.FilteringBoundLogger = structlog.wrap_logger(
        structlog.PrintLogger(stream or sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            _allowed,
            _stamped(clock or (lambda: datetime.now(UTC))),
            structlog.processors.JSONRenderer(sort_keys=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger("info"),
        context_class=dict,
        cache_logger_on_first_use=False,
    )
    return bound


def replace_lines_of(*libraries: str) -> None:
    """Let what these libraries log be a line of ours, from warnings on: that one failed, and with which error.

    Their own words hold addresses, headers and bytes of answers; Python would print them to standard error by itself.
    """
    for name in libraries:
        library = logging.getLogger(name)
        library.propagate = False
        if not any(isinstance(handler, _Replaced) for handler in library.handlers):
            library.addHandler(_Replaced(logging.WARNING))


class _Replaced(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else record.name.partition(".")[0]
        logger().warning("failed", error=error)


def _allowed(_logger: Any, _method: str, given: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event, level = given.pop("event", ""), given.pop("level", "info")
    line: dict[str, Any] = {"level": level, "event": event if event in EVENTS else "other"}
    dropped = 0 if event in EVENTS else 1
    for key, value in given.items():
        kept = KEYS[key](value) if key in KEYS else None
        if kept is None:
            dropped += 1
        else:
            line[key] = kept
    return line | ({"dropped": dropped} if dropped else {})


def _stamped(clock: Callable[[], datetime]) -> structlog.typing.Processor:
    def stamp(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {"at": clock().isoformat(timespec="milliseconds"), **line}

    return stamp
