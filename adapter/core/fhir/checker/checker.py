"""The checker of one release: resources in, problems out, each with a JSON Pointer and a rule, never a value."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any

from fhirpathpy.models import models

from adapter.core import strict_json
from adapter.core.fhir.checker import resources
from adapter.core.fhir.checker.definitions import Definitions
from adapter.core.fhir.checker.run import At, Run
from adapter.core.fhir.checker.run import problems as problems_of
from adapter.core.fhir.checker.shapes import Shapes
from adapter.core.mapping.elements import Model
from adapter.core.partner import Release
from adapter.errors import Problem

_KEPT = 4096


class Checker:
    """What is made of a release's definitions is made when it is first needed, and kept.

    `warnings`: also ask the rules of best practice, which no resource has to keep.
    """

    def __init__(
        self, definitions: Definitions, release: Release, *, warnings: bool = False, kept: int = _KEPT
    ) -> None:
        self.definitions = definitions
        self.release = release
        self._shapes = Shapes(
            definitions, Model(models[release.lower()], strict=False), self._resource, warnings=warnings
        )
        self._kept: OrderedDict[bytes, tuple[Problem, ...]] = OrderedDict()
        self._most = kept

    def problems(
        self, resource: Mapping[str, Any], *, profiles: Iterable[str] = (), among: Mapping[str, Any] | None = None
    ) -> list[Problem]:
        """Every problem of one resource, by its type and the profiles that it claims, and these profiles.

        `among`: the resources that its references may name, by those names (`urn:uuid:…` or `Patient/1`).
        """
        found: list[tuple[At, str]] = []
        type_ = resource.get("resourceType")
        at: At = (None, type_ if isinstance(type_, str) else "", -1, (type_,) if isinstance(type_, str) else ())
        run = Run(dict(resource), among or {}, found)
        self._resource(run.root, at, run)
        for profile in profiles:
            check = self._shapes.of(profile)
            if check is None:
                found.append((at, "the profile that was asked for is not known here"))
            else:
                check(run.root, at, run)
        return problems_of(found)

    def each(self, given: Sequence[tuple[str, Mapping[str, Any]]]) -> list[tuple[Problem, ...]]:
        """The problems of resources that are sent together, by the names under which they refer to each other.

        A resource whose content, and the types and profiles of what it refers to, are known already is not asked again.
        """
        among = dict(given)
        return [self._remembered(resource, among) for _, resource in given]

    def _remembered(self, resource: Mapping[str, Any], among: Mapping[str, Any]) -> tuple[Problem, ...]:
        content = strict_json.canonical(resource)
        targets = sorted(
            (name, str(among[name].get("resourceType")), str(among[name].get("meta", {}).get("profile")))
            for name in set(resources.named(resource))
            if name in among
        )
        key = sha256(content + strict_json.canonical(targets)).digest()
        known = self._kept.get(key)
        if known is None:
            known = tuple(self.problems(resource, among=among))
            self._kept[key] = known
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return known

    def _resource(self, value: Any, at: At, run: Run) -> None:
        resources.check(self._shapes, value, at, run)
