"""Rules that are asked in Python: of the datatypes that stand everywhere, and of what FHIRPath cannot say."""

from __future__ import annotations

import re
from typing import Any

from adapter.core.fhir.checker import narrative, patterns
from adapter.core.fhir.checker.run import At, Check, Run

_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S")


def both(first: Check, second: Check) -> Check:
    def check(value: Any, at: At, run: Run) -> None:
        first(value, at, run)
        second(value, at, run)

    return check


def all_of(checks: list[Check]) -> Check:
    def check(value: Any, at: At, run: Run) -> None:
        for each in checks:
            each(value, at, run)

    return check


def any_of(checks: list[Check]) -> Check:
    """One of several profiles is enough."""

    def check(value: Any, at: At, run: Run) -> None:
        if not any(patterns.passes(each, value, run) for each in checks):
            run.wrong(at, "meets none of the profiles that may stand here")

    return check


def no_longer_than(most: int) -> Check:
    def check(value: Any, at: At, run: Run) -> None:
        if value.__class__ is str and len(value) > most:
            run.wrong(at, f"must have {most} characters at most")

    return check


def xhtml(value: Any, at: At, run: Run) -> None:
    if value.__class__ is not str:
        run.wrong(at, narrative.NOT_XHTML)
    elif why := narrative.wrong(value, lambda id_: patterns.has_id(run.root, id_)):
        run.wrong(at, why)


def extension(value: Any, at: At, run: Run) -> None:
    """ext-1, in Python: every extension is asked."""
    others = len(value) - ("url" in value) - ("id" in value)
    # Besides these and `extension`, only a value may stand in it: what else there is has been found already.
    if (others - 1 if "extension" in value else others) > 0 if "extension" in value else others == 0:
        run.wrong(at, "Must have either extensions or value[x], not both (ext-1)")


def meta(value: Any, at: At, run: Run) -> None:
    """http://hl7.org/fhir/R4/resource.html#Meta: labels are a set. Asked of what is well-formed."""
    labels = value.get("security")
    if labels and len({(each.get("system"), each.get("code")) for each in labels}) < len(labels):
        run.wrong_in(at, "security", "has a label twice")


def identifier(value: Any, at: At, run: Run) -> None:
    """http://hl7.org/fhir/R4/datatypes.html#Identifier: the system urn:ietf:rfc:3986 says that the value is a URI."""
    given = value.get("value")
    if value.get("system") == "urn:ietf:rfc:3986" and given.__class__ is str and not _ABSOLUTE.match(given):
        run.wrong_in(at, "value", "must be a whole URI, since the system says so")
