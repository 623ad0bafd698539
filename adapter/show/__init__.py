"""Read only: what would be shared and why, what is shared, what waits, every disclosure ever made."""

from __future__ import annotations

from adapter.show.account import account_key, audit_of, disclosures_of, exported, signed_heads, statement_of, verified
from adapter.show.arriving import Standing, TakenBack, held, put_by, standing, taken_back
from adapter.show.forms import case_as_read, form_of, forms, sheet, taken, what_if
from adapter.show.incoming import incoming
from adapter.show.matching import to_match
from adapter.show.programs import asked_for, case_of, counts, tasks, waitlist
from adapter.show.purging import purge_of, unanswered
from adapter.show.referrals import board, referral
from adapter.show.shares import jwks, overview, partners, shares_of
from adapter.show.views import bundle, preview, view_of
from adapter.show.waiting import alarms, due_soon, silent, to_review

__all__ = [
    "Standing",
    "TakenBack",
    "account_key",
    "alarms",
    "asked_for",
    "audit_of",
    "board",
    "bundle",
    "case_as_read",
    "case_of",
    "counts",
    "disclosures_of",
    "due_soon",
    "exported",
    "form_of",
    "forms",
    "incoming",
    "held",
    "jwks",
    "overview",
    "partners",
    "preview",
    "put_by",
    "purge_of",
    "referral",
    "shares_of",
    "sheet",
    "signed_heads",
    "silent",
    "standing",
    "statement_of",
    "taken",
    "taken_back",
    "to_match",
    "tasks",
    "to_review",
    "unanswered",
    "verified",
    "view_of",
    "waitlist",
    "what_if",
]
