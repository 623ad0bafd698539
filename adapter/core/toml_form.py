"""Reads a TOML file against what is expected of it: every wrong, missing or unknown key at once, each with its line."""

from __future__ import annotations

import difflib
import re
import tomllib
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from ipaddress import ip_address
from typing import Any, TypeVar
from urllib.parse import urlsplit

from adapter.errors import Finding, Misconfigured

T = TypeVar("T")
KeyPath = tuple[str | int, ...]
_JOINERS = "\u200c\u200d"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_TURN = re.compile(r"[0-9](?=[A-Za-z])")
_MIXED = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])")
_HEADER = re.compile(r"^\s*(\[\[?[^\[\]=]+\]\]?)\s*(#.*)?$")
_HOST = re.compile(r"(?:[A-Za-z0-9_-]{1,63}\.)*[A-Za-z0-9_-]{1,63}\.?")
_LONG_WORD = 16
_SYNTAX = re.compile(r"^(.*) \(at (?:line (\d+), column \d+|end of document)\)$")


class WrongError(ValueError):
    """What a reader raises: the rule that a value breaks, in words that go behind the key's name."""


@dataclass(frozen=True, slots=True)
class Document:
    """One TOML file: its values, and on which line each key stands (paths of keys and list positions)."""

    file: str
    values: Mapping[str, Any]
    lines: Mapping[KeyPath, int]
    elsewhere: Mapping[KeyPath, str] = field(default_factory=dict)
    """Keys whose values were not written in this file, with what to call the place they come from."""

    def replaced(self, path: tuple[str, ...], value: Any, source: str) -> Document:
        """The same document with one value that comes from elsewhere."""
        values = _put(self.values, path, value)
        return Document(self.file, values, self.lines, {**self.elsewhere, path: source})

    def finding(self, detail: str, *path: str | int) -> Finding:
        """A finding at this key, or at the nearest table around it that stands in the file."""
        if source := self.elsewhere.get(path):
            return Finding(source, 0, detail)
        while path and path not in self.lines:
            path = path[:-1]
        return Finding(self.file, self.lines.get(path, 0), detail)


def parse(file: str, text: str) -> Document:
    """The file's values with their lines; Misconfigured with one finding where it is not TOML.

    A byte order mark before it, which some editors write, is passed over.
    """
    text = text.removeprefix("\ufeff")
    try:
        values = tomllib.loads(text)
        lines = _lines(text)
    except tomllib.TOMLDecodeError as error:
        words, line = str(error), len(text.splitlines())
        if found := _SYNTAX.match(words):
            words, line = found[1], int(found[2] or line)
        raise Misconfigured(f"{file} is not TOML.", [Finding(file, line, f"is not TOML: {words}")]) from None
    except (ValueError, RecursionError):  # what Python's own limits refuse, digits and levels: it names no line
        wrong = "holds a number of thousands of digits, or hundreds of tables or lists within each other"
        raise Misconfigured(f"{file} cannot be read.", [Finding(file, 0, wrong)]) from None
    return Document(file, values, lines)


def _put(values: Mapping[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    key, *rest = path
    inner = values.get(key, {})
    return {**values, key: _put(inner if isinstance(inner, Mapping) else {}, tuple(rest), value) if rest else value}


def _lines(text: str) -> dict[KeyPath, int]:
    """The line of each key. A statement ends where it parses on its own, so that long values need no second parser."""
    lines: dict[KeyPath, int] = {}
    table: KeyPath = ()
    counts: dict[KeyPath, int] = {}
    statement, start = "", 0
    for number, line in enumerate(text.splitlines(keepends=True), start=1):
        if not statement and (header := _HEADER.match(line)):
            table = _table(header[1], counts)
            lines.setdefault(table, number)
            continue
        start = start if statement else number
        statement += line
        try:
            keys = tomllib.loads(statement)
        except tomllib.TOMLDecodeError:
            continue
        statement = ""
        for path in _paths(keys):
            lines.setdefault(table + path, start)
    return lines


def _table(header: str, counts: dict[KeyPath, int]) -> KeyPath:
    """The path that a [table] or [[list of tables]] header opens, with positions in lists of tables."""
    name = next(_paths(tomllib.loads(header.strip("[]").strip() + " = 0"), deepest=True))
    path: KeyPath = ()
    for depth, key in enumerate(name, start=1):
        path += (key,)
        if depth == len(name) and header.startswith("[["):
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path += (counts[path],)
    return path


def _paths(value: Any, prefix: KeyPath = (), *, deepest: bool = False) -> Iterator[KeyPath]:
    items: Iterable[tuple[str | int, Any]] = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, inner in items:
        if not (deepest and isinstance(inner, dict)):
            yield (*prefix, key)
        yield from _paths(inner, (*prefix, key), deepest=deepest)


class Form:
    """Takes one table's keys one by one, each by its reader, and collects what is wrong; `close` names what is left."""

    def __init__(self, document: Document, *path: str | int, findings: list[Finding] | None = None) -> None:
        self.findings: list[Finding] = [] if findings is None else findings
        self._document = document
        self._path = path
        self._known: list[str] = []
        values: Any = document.values
        for step in path:
            values = values[step] if isinstance(step, int) else values.get(step, {})
        self._values: Mapping[str, Any] = values

    def take(self, key: str, read: Callable[[Any], T], default: T) -> T:
        """The value of a key that may be left out."""
        self._known.append(key)
        if key not in self._values:
            return default
        try:
            return read(self._values[key])
        except WrongError as wrong:
            self.wrong(f"{key}: {wrong}", key)
            return default

    def require(self, key: str, read: Callable[[Any], T], stand_in: T, why: str = "is missing") -> T:
        """The value of a key that must be there; else a finding, and the stand-in so that reading goes on."""
        if key not in self._values:
            self.wrong(f"{key}: {why}")
        return self.take(key, read, stand_in)

    def has(self, key: str) -> bool:
        """Is the key in the file, rightly or not?"""
        return key in self._values

    def table(self, key: str) -> Form:
        """The form of a table inside, whose findings join these; an empty one if it is left out."""
        self._known.append(key)
        if isinstance(self._values.get(key, {}), Mapping):
            return Form(self._document, *self._path, key, findings=self.findings)
        self.wrong(f"{key}: must be a table, [{key}]", key)
        return Form(Document(self._document.file, {}, {}), findings=self.findings)

    def tables(self, key: str) -> list[Form]:
        """The forms of a list of tables inside."""
        self._known.append(key)
        found = self._values.get(key, [])
        if not isinstance(found, list) or not all(isinstance(item, Mapping) for item in found):
            self.wrong(f"{key}: must be a list of tables, [[{key}]]", key)
            return []
        path = (*self._path, key)
        return [Form(self._document, *path, position, findings=self.findings) for position in range(len(found))]

    def wrong(self, detail: str, key: str = "") -> None:
        """Note a finding at a key of this table."""
        path = (*self._path, key) if key else self._path
        self.findings.append(self._document.finding(detail, *path))

    def close(self) -> None:
        """Note every key that nobody took."""
        for key in self._values:
            if key not in self._known:
                near = difflib.get_close_matches(key, self._known, n=1)
                self.wrong(f"{key}: is not a key of this file" + (f"; did you mean {near[0]}?" if near else ""), key)


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
    if parts.scheme not in ("https", "http") or not host or port == 0:
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
