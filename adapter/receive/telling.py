"""A received resource as its partner reads it: what it wrote, with the id, version and time that it has here."""

from __future__ import annotations

from typing import Any

from adapter.core.fhir.instants import instant
from adapter.store.resources import Received

STAMPED = ("versionId", "lastUpdated")


def shown(kept: Received) -> dict[str, Any]:
    """The resource as its partner wrote it, with the id, version and time that we gave it."""
    body = dict(kept.body)
    meta = {key: value for key, value in (body.pop("meta", None) or {}).items() if key not in STAMPED}
    body.pop("resourceType", None), body.pop("id", None)
    stamp = {"versionId": str(kept.version), "lastUpdated": instant(kept.updated)}
    return {"resourceType": kept.type, "id": kept.id, "meta": stamp | meta, **body}


def unstamped(body: dict[str, Any]) -> dict[str, Any]:
    """What is kept of a resource that was read and changed: without the version and the time that we gave it."""
    meta = body.get("meta")
    rest = {key: value for key, value in meta.items() if key not in STAMPED} if isinstance(meta, dict) else meta
    return {**body, "meta": rest} if rest else {key: value for key, value in body.items() if key != "meta"}
