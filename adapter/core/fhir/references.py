"""What a resource refers to, and where each reference leads: within itself, within this server, elsewhere, nowhere."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

ID = re.compile(r"[A-Za-z0-9.-]{1,64}\Z")
"""A resource's id (http://hl7.org/fhir/R4/datatypes.html#id)."""
_LOCAL = re.compile(r"(?P<target>[A-Z][A-Za-z]{1,63}/[A-Za-z0-9.-]{1,64})(?:/_history/[A-Za-z0-9.-]{1,64})?(?:#.*)?\Z")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
Leads = Literal["contained", "urn", "local", "conditional", "elsewhere", "nowhere"]


def references(value: Any, pointer: str = "") -> Iterator[tuple[str, str]]:
    """Each literal reference of a resource, contained ones too, with its JSON Pointer; in the order they stand."""
    if isinstance(value, Mapping):
        if isinstance(value.get("reference"), str):
            yield f"{pointer}/reference", value["reference"]
        for key, inner in value.items():
            yield from references(inner, f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from references(inner, f"{pointer}/{position}")


def attached(value: Any) -> Iterator[str]:
    """The addresses of attachments: a Binary of the same server stands there by its relative one."""
    if isinstance(value, Mapping):
        if isinstance(url := value.get("url"), str) and url.startswith("Binary/"):
            yield url
        for inner in value.values():
            yield from attached(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from attached(inner)


def leads(reference: str, base: str) -> Leads:
    """Where a literal reference leads (http://hl7.org/fhir/R4/references.html#literal); `base` is our own address."""
    if reference.startswith("#"):
        return "contained"
    if reference.startswith(("urn:uuid:", "urn:oid:")):
        return "urn"
    if local(reference, base):
        return "local"
    if _SCHEME.match(reference):
        return "elsewhere"
    return "conditional" if "?" in reference else "nowhere"


def local(reference: str, base: str) -> str | None:
    """`Type/id` of a reference to a resource of this server, relative or under `base`; its version is left out."""
    match = _LOCAL.match(reference.removeprefix(base.rstrip("/") + "/") if base else reference)
    return match["target"] if match else None
