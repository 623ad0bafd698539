"""What a value of a TOML file may be: a reader each, which gives the value or says what it must be."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from datetime import date, datetime
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

_JOINERS = "\u200c\u200d"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_TURN = re.compile(r"[0-9](?=[A-Za-z])")
_MIXED = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])")
_HOST = re.compile(r"(?:[A-Za-z0-9_-]{1,63}\.)*[A-Za-z0-9_-]{1,63}\.?")
_LONG_WORD = 16


class WrongError(ValueError):
    """What a reader raises: the rule that a value breaks, in words that go behind the key's name."""


def text(value: Any) -> str:
    """A text with something in it, on one line."""
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise WrongError("must be a text on one line, and not empty, without characters that cannot be seen")
    return value.strip()


def words(value: Any) -> str:
    """A text that people read, such as a name: spaces of any width may stand in it, and what joins letters.

    Persian and many Indian names need U+200C and U+200D, a French name may hold a space that does not break. What turns
    the direction of a line, ends it or cannot be seen is refused as in any text.
    """
    if isinstance(value, str):
        text(plain(value))
        return value.strip()
    return text(value)


def plain(value: str) -> str:
    """A name with simple spaces, and without what joins its letters."""
    return "".join(" " if unicodedata.category(each) == "Zs" else each for each in value if each not in _JOINERS)


def flag(value: Any) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        raise WrongError("must be true or false")
    return value


def day(value: Any) -> date:
    """A TOML date without a time."""
    if not isinstance(value, date) or isinstance(value, datetime):
        raise WrongError("must be a date without quotation marks, such as 2026-01-15")
    return value


def whole(low: int, high: int) -> Callable[[Any], int]:
    """A whole number from `low` to `high`."""

    def read(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise WrongError(f"must be a whole number from {low} to {high}")
        return value

    return read


def number(low: float, high: float) -> Callable[[Any], float]:
    """A number from `low` to `high`."""

    def read(value: Any) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
            raise WrongError(f"must be a number from {low:g} to {high:g}")
        return float(value)

    return read


def one_of(*choices: str) -> Callable[[Any], str]:
    """One of these words."""

    def read(value: Any) -> str:
        if not isinstance(value, str) or value not in choices:
            raise WrongError(f"must be one of {', '.join(choices)}")
        return value

    return read


def many_of(choices: Iterable[str]) -> Callable[[Any], tuple[str, ...]]:
    """A list of some of these words, each once, at least one."""
    known = tuple(choices)

    def read(value: Any) -> tuple[str, ...]:
        if not isinstance(value, list) or not value or any(item not in known for item in value):
            raise WrongError(f"must be a list of one or more of {', '.join(known)}")
        if len(set(value)) != len(value):
            raise WrongError("names one of them twice")
        return tuple(value)

    return read


def matching(pattern: str, words: str) -> Callable[[Any], str]:
    """A text of this form, which the words describe."""
    compiled = re.compile(pattern)

    def read(value: Any) -> str:
        if not isinstance(value, str) or not compiled.fullmatch(value):
            raise WrongError(words)
        return value

    return read


def variable(value: Any) -> str:
    """The name of an environment variable that holds a secret: letters, digits and underscores.

    Whoever puts the secret itself there must not see it printed as a name: passwords and base64 mix letters of both
    cases with digits, hex and base32 have many letters and digits by turns without an underscore.
    """
    if isinstance(value, str) and _VARIABLE.fullmatch(value) and not any(map(_is_no_name, value.split("_"))):
        return value
    raise WrongError(
        "must be the name of an environment variable that holds the secret, never the secret: letters, digits and "
        "underscores, such as LAKESIDE_TOKEN"
    )


def _is_no_name(word: str) -> bool:
    return bool(_MIXED.match(word)) or (len(word) >= _LONG_WORD and len(_TURN.findall(word)) > 1)


def web_address(value: Any, wrong: str) -> str:
    """An http or https address with a host, and neither a user, a query nor a fragment; `wrong` says so."""
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or " " in value:
        raise WrongError(wrong)
    try:
        parts = urlsplit(value)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise WrongError(wrong) from None
    # In small letters as it stands: whether it is http decides whether it may be in clear.
    if not value.startswith(("https://", "http://")) or not host or port == 0:
        raise WrongError(wrong)
    if "@" in parts.netloc or "?" in value or "#" in value:
        raise WrongError("must hold no user name, no password, no query and no fragment")
    if not (_is_ip(host) if "[" in parts.netloc else _HOST.fullmatch(host)):
        raise WrongError(wrong)
    return value


def _is_ip(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return "%" not in host  # a zone is this machine's own word for a network


uri = matching(r"[a-z][a-z0-9+.-]*:[^\s]{1,200}", "must be a URI, such as https://agency.example.ca/id")
