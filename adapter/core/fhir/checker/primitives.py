"""The formats of FHIR's primitive types: for each a question to a JSON value, and the sentence that says what it broke.

Source: http://hl7.org/fhir/R4/datatypes.html#primitive and http://hl7.org/fhir/R5/datatypes.html#primitive, whose
regular expressions leave out what a calendar and a range say; both are asked here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from types import MappingProxyType
from typing import Any

Test = Callable[[Any], bool]

_LONGEST = 1024 * 1024
_YEAR = r"(\d(?:\d(?:\d[1-9]|[1-9]0)|[1-9]00)|[1-9]000)"
_MONTH_DAY = r"(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
_CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d{1,9})?"
_ZONE = r"(?:Z|[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00))"
_DATE = re.compile(rf"{_YEAR}(?:-(?:0[1-9]|1[0-2])|-{_MONTH_DAY})?")
_DATE_TIME = re.compile(rf"{_YEAR}(?:-(?:0[1-9]|1[0-2])|-{_MONTH_DAY}(?:T{_CLOCK}{_ZONE})?)?")
_INSTANT = re.compile(rf"{_YEAR}-{_MONTH_DAY}T{_CLOCK}{_ZONE}")
_TIME = re.compile(_CLOCK)
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
_OID = re.compile(r"urn:oid:[0-2](?:\.(?:0|[1-9]\d*))+")
_UUID = re.compile(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_CODE = re.compile(r"\S+(?: \S+)*")
_SPACE = re.compile(r"\s")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")


def _text(value: Any) -> bool:
    """Only spaces is a text too: FHIR says that it SHOULD NOT be, not that it must not."""
    if value.__class__ is not str or not value or len(value) > _LONGEST:
        return False
    return value.isprintable() or _CONTROL.search(value) is None


def _code(value: Any) -> bool:
    if value.__class__ is not str or not value:
        return False
    return (value.isprintable() and " " not in value) or _CODE.fullmatch(value) is not None


def _uri(value: Any) -> bool:
    # What is printable has no white space but the plain one.
    if value.__class__ is not str or not value or not value.isprintable() or " " in value:
        return False
    if value[0] not in "uo":
        return True
    if value.startswith("urn:uuid:"):
        return _UUID.fullmatch(value) is not None
    if value.startswith("urn:oid:"):
        return _OID.fullmatch(value) is not None
    return not value.startswith(("oid:", "uuid:"))


def _integer(value: Any) -> bool:
    return value.__class__ is int and -2147483648 <= value <= 2147483647


def _positive(value: Any) -> bool:
    return value.__class__ is int and 1 <= value <= 2147483647


def _unsigned(value: Any) -> bool:
    return value.__class__ is int and 0 <= value <= 2147483647


def _integer64(value: Any) -> bool:
    """In JSON a string, since JSON's readers lose the digits of large numbers."""
    if value.__class__ is not str or not re.fullmatch(r"0|[-+]?[1-9]\d{0,18}", value):
        return False
    return -(2**63) <= int(value) < 2**63


def _decimal(value: Any) -> bool:
    """A JSON number. Its digits are not counted here: what read the JSON has already made a number of it."""
    return value.__class__ in (int, float) or value.__class__.__name__ == "Decimal"


def _boolean(value: Any) -> bool:
    return value.__class__ is bool


def _matched(pattern: re.Pattern[str]) -> Test:
    match = pattern.fullmatch
    return lambda value: value.__class__ is str and match(value) is not None


def _dated(pattern: re.Pattern[str]) -> Test:
    match = pattern.fullmatch

    def test(value: Any) -> bool:
        if value.__class__ is not str or match(value) is None:
            return False
        # Months have 28 days at least: only the last days of a month may not exist.
        return len(value) < 10 or value[8:10] < "29" or _exists(value)

    return test


def _exists(value: str) -> bool:
    try:
        date(int(value[:4]), int(value[5:7]), int(value[8:10]))
    except ValueError:
        return False
    return True


def _base64(value: Any) -> bool:
    return value.__class__ is str and value != "" and _BASE64.fullmatch(_SPACE.sub("", value)) is not None


PRIMITIVES: MappingProxyType[str, tuple[Test, str]] = MappingProxyType({
    "string": (_text, "must be text that is not empty, without control characters, up to 1 MB"),
    "markdown": (_text, "must be text that is not empty, without control characters, up to 1 MB"),
    "code": (_code, "must be a code: text without spaces at its ends or two in a row"),
    "id": (_matched(_ID), "must be an id: 1 to 64 letters, digits, - and ."),
    "uri": (_uri, "must be a URI without spaces; urn:uuid: and urn:oid: in their own form"),
    "url": (_uri, "must be a URL without spaces"),
    "canonical": (_uri, "must be a canonical URL without spaces"),
    "oid": (_matched(_OID), "must be an OID: urn:oid: and numbers with dots"),
    "uuid": (_matched(_UUID), "must be a UUID: urn:uuid: and lower-case hexadecimal digits"),
    "boolean": (_boolean, "must be true or false"),
    "integer": (_integer, "must be a whole number of 32 bits"),
    "integer64": (_integer64, "must be a whole number of 64 bits, written as text"),
    "positiveInt": (_positive, "must be a whole number from 1"),
    "unsignedInt": (_unsigned, "must be a whole number from 0"),
    "decimal": (_decimal, "must be a number"),
    "date": (_dated(_DATE), "must be a date that exists: YYYY, YYYY-MM or YYYY-MM-DD"),
    "dateTime": (_dated(_DATE_TIME), "must be a date that exists, and with a time also seconds and a time zone"),
    "instant": (_dated(_INSTANT), "must be a date that exists with a time, seconds and a time zone"),
    "time": (_matched(_TIME), "must be a time of day: hh:mm:ss"),
    "base64Binary": (_base64, "must be base64"),
})  # fmt: skip
"""Primitive type → (is it one?, what it must be). `xhtml` is narrative.py's."""
