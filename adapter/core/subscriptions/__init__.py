"""Subscriptions of FHIR, in both directions: what we ask partners' servers for, and what partners ask ours for."""
