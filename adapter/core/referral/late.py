"""Decides whether a referral is overdue: nobody has answered it by the end of the day that it asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from adapter.core.referral.kept import OVER

UNANSWERED = ("requested", "received")


def overdue(record: Mapping[str, Any], state: str, now: datetime, *, end_of: Callable[[date], datetime]) -> bool:
    """Has nobody answered by the day that the referral asks for? `state`: where it is, by what its receiver has said;
    `end_of`: when a day ends in the agency's time zone."""
    by = record.get("respond_by")
    if by is None or state not in UNANSWERED or record["status"] in (*OVER, "draft"):
        return False
    return now >= end_of(date.fromisoformat(by))
