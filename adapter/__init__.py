"""FHIR interoperability adapter for coordinated service planning."""

__version__ = "0.1.0"
