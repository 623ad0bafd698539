"""What the verbs need of a way to a partner, whether a FHIR server or a folder stands at its end."""

from __future__ import annotations

from typing import Protocol

from adapter.outward.answer import Answer


class Way(Protocol):
    """Bundles go out, what is not known is looked up; every answer is one of three values (answer.py)."""

    def transact(self, body: bytes, *, request_id: str, echo: bool = False) -> Answer:
        """Sends one transaction Bundle."""

    def find(self, type_: str, identifier: tuple[str, str], *, request_id: str = "") -> Answer:
        """Looks for a resource of ours by our own identifier; a searchset."""

    def read(self, type_: str, id_: str, *, request_id: str = "") -> Answer:
        """Reads one resource by the id that it has there."""
