"""Enters it in the account when a person looks at a case: after the view, and only where it showed something.

A program that reads (a source system, a check of health) does not look. What cannot be entered is not shown.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from flask import Response

from adapter import steer
from adapter.web.auth import SEES_CASES, caller
from adapter.web.context import wiring

P = ParamSpec("P")


def a_look(view: Callable[P, Response]) -> Callable[P, Response]:
    """For a view of the door `token` that shows a case, or a part of it: `case` and what is seen come from its path."""

    @wraps(view)
    def looked(*args: P.args, **path: P.kwargs) -> Response:
        shown = view(*args, **path)
        principal = caller()
        if principal.role in SEES_CASES:
            said = {name: str(value) for name, value in path.items()}
            steer.enter_look(wiring(), said["case"], _about(said), role=principal.role, label=principal.label)
        return shown

    return looked


def _about(path: dict[str, str]) -> str:
    """The path of a record, `views/P` for what a partner may see, "" for the whole case."""
    if partner := path.get("partner"):
        return f"views/{partner}"
    if referral := path.get("referral"):
        return f"referrals/{referral}"
    return "/".join(filter(None, (path.get("collection"), path.get("record"))))
