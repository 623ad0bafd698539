"""FHIR Consents as they come from elsewhere: read into a value, asked a question, taken over as a consent record."""

from adapter.core.consent.fhir_consents.elements import moment
from adapter.core.consent.fhir_consents.evaluating import Deny, NotComputable, Permit, decide, evaluate
from adapter.core.consent.fhir_consents.importing import Imported, receivers_by_identifier, to_record
from adapter.core.consent.fhir_consents.question import unbundle
from adapter.core.consent.fhir_consents.reading import read
from adapter.core.consent.fhir_consents.values import ConsentValue
from adapter.core.consent.fhir_consents.vocabulary import Vocabulary
from adapter.core.consent.fhir_consents.wording import Loss

__all__ = [
    "ConsentValue",
    "Deny",
    "Imported",
    "Loss",
    "NotComputable",
    "Permit",
    "Vocabulary",
    "decide",
    "evaluate",
    "moment",
    "read",
    "receivers_by_identifier",
    "to_record",
    "unbundle",
]
