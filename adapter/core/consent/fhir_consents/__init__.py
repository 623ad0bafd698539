"""FHIR Consents as they come from elsewhere: read into a value, asked a question, taken over as a consent record."""

from adapter.core.consent.fhir_consents.elements import moment
from adapter.core.consent.fhir_consents.evaluating import Deny, NotComputable, Permit, decide, evaluate
from adapter.core.consent.fhir_consents.question import unbundle
from adapter.core.consent.fhir_consents.reading import read
from adapter.core.consent.fhir_consents.values import ConsentValue

__all__ = ["ConsentValue", "Deny", "NotComputable", "Permit", "decide", "evaluate", "moment", "read", "unbundle"]
