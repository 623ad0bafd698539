"""Does a resource keep the rules of FHIR and of our profiles? Asked of what both say of themselves, compiled.

What it knows that models do not: required bindings, reference targets, slicing, fixed values and patterns, invariants,
extensions by their definitions, contained resources, safe narrative. It fetches nothing (docs/checking.md).
"""

from adapter.core.fhir.checker.checker import Checker
from adapter.core.fhir.checker.definitions import Definitions, read

__all__ = ["Checker", "Definitions", "read"]
