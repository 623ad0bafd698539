"""Read only: what would be shared and why, what is shared, what waits, every disclosure ever made."""

from __future__ import annotations

from adapter.show.account import account_key, audit_of, disclosures_of, exported, signed_heads, statement_of, verified
from adapter.show.forms import case_as_read, form_of, forms, sheet, taken, what_if
from adapter.show.shares import overview, partners, shares_of
from adapter.show.views import bundle, preview, view_of
from adapter.show.waiting import alarms, due_soon, silent, to_review

__all__ = [
    "account_key",
    "alarms",
    "audit_of",
    "bundle",
    "case_as_read",
    "disclosures_of",
    "due_soon",
    "exported",
    "form_of",
    "forms",
    "overview",
    "partners",
    "preview",
    "shares_of",
    "sheet",
    "signed_heads",
    "silent",
    "statement_of",
    "taken",
    "to_review",
    "verified",
    "view_of",
    "what_if",
]
