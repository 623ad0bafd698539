"""What an access token lets a partner's system do: scopes of SMART App Launch, for systems.

http://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html: `system/Type.cruds` (v2), `system/Type.read`,
`.write` and `.*` (v1); `*` for every type. What they permit is a share of what the partner may do at all, never more.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

_SCOPE = re.compile(r"system/(?P<type>\*|[A-Z][A-Za-z]{1,39})\.(?P<does>read|write|\*|c?r?u?d?s?)\Z")
_V1 = {"read": "rs", "write": "cud", "*": "cruds"}
EVERYTHING = "system/*.cruds"
LONGEST = 2_000


@dataclass(frozen=True, slots=True)
class Scopes:
    """What is permitted, as `type` (or `*`) → the letters of create, read, update, delete, search."""

    permitted: tuple[tuple[str, str], ...]

    def permits(self, letter: str, type_: str) -> bool:
        """Is this interaction (`c`, `r`, `u`, `d` or `s`) permitted on this type?"""
        return any(kind in ("*", type_) and letter in letters for kind, letters in self.permitted)

    def together(self) -> str:
        """As the text of a token's scope."""
        return " ".join(f"system/{kind}.{letters}" for kind, letters in self.permitted)


def read(text: str) -> Scopes:
    """The scopes of a token that we gave out: what `together` wrote. An unreadable one permits nothing."""
    return asked(text, None)


def asked(text: str, types: Collection[str] | None) -> Scopes:
    """What is asked for and known here, each type once; what is not known is left out, as the specification allows.

    `types`: those that are served; None: any.
    """
    found: dict[str, set[str]] = {}
    for word in text[:LONGEST].split():
        match = _SCOPE.match(word)
        if match and match["does"] and (types is None or match["type"] == "*" or match["type"] in types):
            found.setdefault(match["type"], set()).update(_V1.get(match["does"], match["does"]))
    return Scopes(tuple(sorted((kind, _in_order(letters)) for kind, letters in found.items())))


def _in_order(letters: Iterable[str]) -> str:
    return "".join(sorted(letters, key="cruds".index))
