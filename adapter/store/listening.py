"""Hears from PostgreSQL that another process has made something due: LISTEN on a connection of its own.

A worker then need not ask again and again. It is only a quicker way: who hears nothing still looks every
`poll_seconds`, so that nothing depends on it.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

_TURN = 1.0  # seconds after which it is looked whether to stop
_QUIET = 30  # turns without a word after which the connection is tried: nothing comes from one that is dead, either
_AWAY = 5.0  # seconds until a lost connection is tried again


def listen(engine: sa.Engine, channel: str, heard: Callable[[], None], stop: Event) -> None:
    """Call `heard` for what comes on the channel, and each time that listening begins; until `stop` is set."""
    from psycopg import Error

    while not stop.is_set():
        try:
            connection = _begun(engine, channel)
        except (DBAPIError, Error):
            stop.wait(_AWAY)
            continue
        try:
            heard()
            _hear(connection, heard, stop)
        except Error:
            stop.wait(_TURN)
        finally:
            connection.close()


def _begun(engine: sa.Engine, channel: str) -> Any:
    """A connection of psycopg that listens; not one of the pool, which would reset it."""
    pooled = engine.raw_connection()
    connection: Any = pooled.driver_connection
    pooled.detach()
    connection.autocommit = True
    connection.execute(f"LISTEN {channel}")
    return connection


def _hear(connection: Any, heard: Callable[[], None], stop: Event) -> None:
    quiet = 0
    while not stop.is_set():
        quiet += 1
        for _ in connection.notifies(timeout=_TURN, stop_after=1):
            heard()
            quiet = 0
        if quiet >= _QUIET:
            connection.execute("SELECT 1")
            quiet = 0
