"""One check on its way through a resource: where it is, what it knows of others, and what it has found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from adapter.core.mapping.fhirpath import Env
from adapter.errors import Problem

At = tuple[Any, str, int, tuple[str, ...]]
"""(what it stands in, its name, its position in a list or -1, what it is called as the context of extensions)."""
Check = Callable[[Any, At, "Run"], None]
"""A check of one value."""
Member = Callable[[Any, At, str, "Run", dict[str, Any]], None]
"""A check of one field: its value, the place of the object around it, its name, the run, and that object."""


class Run:
    """What a check carries along. `found` is shared by the runs of a Bundle's entries and of contained resources."""

    __slots__ = ("_env", "beside", "container", "found", "known", "root")

    def __init__(
        self, root: dict[str, Any], known: Mapping[str, Any], found: list[tuple[At, str]], container: Run | None = None
    ) -> None:
        self.root = root
        self.known = known
        self.found = found
        self.container = container
        self.beside: set[str] = set()
        """The primitives beside which something stands (`_name`): expressions need the types to see it."""
        self._env: Env | None = None

    def wrong(self, at: At, detail: str) -> None:
        self.found.append((at, detail))

    def wrong_in(self, at: At, name: str, detail: str) -> None:
        self.found.append(((at, name, -1, ()), detail))

    def env(self, root: Callable[[Any], Any]) -> Env:
        """The variables of invariants (http://hl7.org/fhir/R4/fhirpath.html#variables), made once."""
        if self._env is None:
            outer = self.container.root if self.container else self.root
            self._env = Env({"resource": root(self.root), "rootResource": root(outer)})
        return self._env


def pointer(at: At | None) -> str:
    """A place as a JSON Pointer (RFC 6901) from the resource that was checked."""
    steps: list[str] = []
    while at is not None and at[0] is not None:
        if at[2] >= 0:
            steps.append(str(at[2]))
        steps.append(at[1].replace("~", "~0").replace("/", "~1"))
        at = at[0]
    return "".join(f"/{step}" for step in reversed(steps))


def names(at: At) -> Iterator[str]:
    """How the definition of an extension may call this place: its path, its type and its type's ancestors."""
    yield from at[3]
    steps: list[str] = []
    place: At | None = at
    while place is not None:
        steps.append(place[1])
        place = place[0]
    yield ".".join(reversed(steps))


def problems(found: list[tuple[At, str]]) -> list[Problem]:
    """What was found, once each, in the order of places."""
    return sorted({Problem(pointer(at), detail) for at, detail in found}) if found else []
