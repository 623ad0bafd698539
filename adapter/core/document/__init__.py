"""The plan as one document, for partners whose servers take no CareTeam, Goal or CarePlan (exchange.md, *Partners*).

It is made of what the view became, and of nothing else: a PDF for people and a FHIR document Bundle for programs, held
by one DocumentReference. The same view gives the same bytes.
"""

from adapter.core.document.place import Placed, Scene, held_as_document, in_place, lacking, pieces_of, within

__all__ = ["Placed", "Scene", "held_as_document", "in_place", "lacking", "pieces_of", "within"]
