"""From FHIR to records: the inbound mapping files and the code that runs them (docs/mapping.md, *Inbound files*)."""

from adapter.core.mapping.inbound.consents import Consents
from adapter.core.mapping.inbound.functions import FUNCTIONS
from adapter.core.mapping.inbound.mapping import InboundMapping, load_inbound
from adapter.core.mapping.inbound.notes import Note
from adapter.core.mapping.inbound.records import records
from adapter.core.mapping.inbound.values import Inbound, Mapped, Received, Sender

__all__ = [
    "FUNCTIONS",
    "Consents",
    "Inbound",
    "InboundMapping",
    "Mapped",
    "Note",
    "Received",
    "Sender",
    "load_inbound",
    "records",
]
