"""What a database says when it cannot work, as the one sentence that callers know: what is wrong, and where to look.

Nothing of its own words is passed on: they hold names, addresses and values.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from adapter.errors import Misconfigured, Unavailable

_ANY = "The database cannot be reached, is full, or is locked."
_FULL = "The disk of the database is full: free some of it."
_LOCKED = "The database is locked by another process for too long."
_NOT_WRITTEN = "The database may not be written: see who owns its file and folder, and their modes."
_READ_ONLY = "The database may only be read: is it a standby? Give the address of the one that is written."
_NOT_TRUSTED = "The database cannot be reached safely: see sslmode and sslrootcert in ADAPTER_DATABASE."
_NOT_LET_IN = (
    "The database does not let us in: see user and password in ADAPTER_DATABASE, and pg_hba.conf on its server."
)
_NONE_THERE = "The database server has no database of this name: see ADAPTER_DATABASE, and make it."
_NOT_OURS = "The database does not let us use its tables: see who owns them, and the user in ADAPTER_DATABASE."
_OTHER = "The database is not of this adapter's version: `adapter check` says which of the two is to be upgraded."
_CROWDED = "The database takes no more connections: let it take more (max_connections), or run fewer processes."

_BY_SQLITE = {
    "SQLITE_FULL": _FULL,
    "SQLITE_BUSY": _LOCKED,
    "SQLITE_LOCKED": _LOCKED,
    "SQLITE_READONLY": _NOT_WRITTEN,
    "SQLITE_CANTOPEN": "The database file cannot be opened: see that its folder is there, and who owns both.",
    "SQLITE_PERM": _NOT_WRITTEN,
    "SQLITE_CORRUPT": "The database file is damaged: put back its backup.",
}
_BY_SQLSTATE = {  # https://www.postgresql.org/docs/current/errcodes-appendix.html
    "25006": _READ_ONLY,
    "28000": _NOT_LET_IN,
    "28P01": _NOT_LET_IN,
    "3D000": _NONE_THERE,
    "42501": _NOT_OURS,
    "42703": _OTHER,
    "42P01": _OTHER,
    "53100": _FULL,
    "53300": _CROWDED,
    "55P03": _LOCKED,
}
_REFUSALS = (  # of a connection psycopg keeps no SQLSTATE: by the words, where the server speaks English
    ("password authentication failed", _NOT_LET_IN),
    ("no pg_hba.conf entry", _NOT_LET_IN),
    ("root certificate file", _NOT_TRUSTED),
    ("certificate verify failed", _NOT_TRUSTED),
    ("server certificate for", _NOT_TRUSTED),
    ("no password supplied", _NOT_LET_IN),
    ("too many connections", _CROWDED),
    ("remaining connection slots", _CROWDED),
)


@contextmanager
def answering() -> Iterator[None]:
    """Turn what a database says when it cannot work into Unavailable, or Misconfigured where no waiting helps; what is
    a fault of ours stays what it is."""
    try:
        yield
    except PoolTimeout as error:
        raise Unavailable("The database is too slow for what is asked of it: all connections are in use.") from error
    except DBAPIError as error:
        if _is_of_the_address(error):
            raise Misconfigured("The database URL holds a setting that PostgreSQL does not know.") from None
        if (said := _said(error)) is not None:
            raise Unavailable(said) from error
        if type(error) is DatabaseError:  # not one of its kinds: what SQLite says of a file that is no database
            raise Unavailable("The database file is damaged, or is no database.") from error
        raise


def _said(error: DBAPIError) -> str | None:
    """The sentence for this error; None where it is none that time, or whoever runs the database, can heal."""
    theirs = error.orig
    if (state := getattr(theirs, "sqlstate", None)) in _BY_SQLSTATE:
        return _BY_SQLSTATE[state]
    if not isinstance(error, OperationalError | InterfaceError):
        return None
    name = "_".join(str(getattr(theirs, "sqlite_errorname", "")).split("_")[:2])
    words = str(theirs)
    if words.startswith(("no such table", "no such column", "table ")) and name == "SQLITE_ERROR":
        return _OTHER
    by_words = [said for known, said in _REFUSALS if known in words]
    if state is None and 'database "' in words and "does not exist" in words:
        by_words.append(_NONE_THERE)
    return _BY_SQLITE.get(name) or next(iter(by_words), _ANY)


def _is_of_the_address(error: DBAPIError) -> bool:
    """Did libpq refuse the connection's own settings? Then no server has answered, and there is no SQLSTATE."""
    words = ("invalid connection option", "invalid sslmode value", "invalid integer value")
    return getattr(error.orig, "sqlstate", "") is None and any(known in str(error.orig) for known in words)
