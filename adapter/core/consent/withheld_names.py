"""Finds the names of people and organisations that a partner may not know of in the texts that it may read.

Only for a person's attention (consent.md: *listed for review at intake*): nothing is withheld or sent because of it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from adapter.core.consent.texts import Text
from adapter.core.consent.view import View
from adapter.core.partner import Partner

KNOWN = ("people", "providers", "organizations")
SHORTEST = 3
"""Letters: a shorter name stands in too many words that mean something else."""


def named_in(
    seen: Iterable[Text], case: Mapping[str, Any], shown: View, partner: Partner
) -> frozenset[tuple[str, str]]:
    """(place of the text, path of who is named) for each of `seen`, texts of the view, that names someone withheld.

    A name that somebody in the view has too tells of nobody else: it is left out.
    """
    withheld = {path: record for path, record in _known(case) if path not in shown.labels}
    if not withheld or not shown.case:
        return frozenset()
    familiar = {_even(partner.name), *(name for _, record in _known(shown.case) for name in _names(record))}
    familiar |= set(_names(shown.case.get("child", {})))
    whose: dict[str, set[str]] = {}
    for path, record in withheld.items():
        for name in _names(record):
            if name not in familiar and len(name) >= SHORTEST:
                whose.setdefault(name, set()).add(path)
    if not whose:
        return frozenset()
    # Longest first, so that a whole name is found before a part of it.
    anyone = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, sorted(whose, key=len, reverse=True)))})(?!\w)", re.I)
    return frozenset(
        (text.place, path)
        for text in seen
        for found in anyone.finditer(_plain(text.value))
        # A name is written with a capital: "will" and "hope" are no one.
        if found[0][0].isupper()
        for path in whose.get(found[0].casefold(), ())
    )


def _known(case: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for collection in KNOWN:
        for record in case.get(collection, ()):
            yield f"{collection}/{record['id']}", record


def _names(record: Mapping[str, Any]) -> Iterator[str]:
    """The names that one goes by: an organisation's whole one, each one of a person."""
    name = record.get("name", "")
    if isinstance(name, str):
        yield _even(name)
        return
    for one in (*name.get("given", ()), name.get("family", ""), name.get("preferred", "")):
        yield _even(one)


def _even(name: str) -> str:
    return _plain(name).casefold()


def _plain(text: str) -> str:
    """Without accents, and with single spaces: a name is often typed without them."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join(bare.split())
