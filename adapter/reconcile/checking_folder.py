"""Tries a partner's folder: the host, its key, who we are there, and all that is done with a file in a delivery."""

from __future__ import annotations

from typing import Any, cast

from adapter.core.partner import Partner
from adapter.desk import Desk
from adapter.outward.answer import Answered
from adapter.outward.folder import Folder

_WHY = {
    "no name": "the name of its host leads to no address; see folder",
    "address not allowed": "its address is a private one (see private_addresses), or one that is never asked",
    "no connection": "nobody answers at its host and port, or it hung up; see folder",
    "no TLS": "its host shows another key than host_key, or none of that kind, or speaks no SSH; ask its administrator"
    " for the key, and take none on trust",
    "not configured": "see folder, host_key, and the secret of [authorisation]",
    "time ran out": "it takes longer than timeout allows",
    "connection lost": "it hung up on the way",
}
"""Why nothing could be tried, or not all of it, by the reason (outward/answer.py), and where to look."""
_CAN = {
    "find": "The names in the folder can be listed.",
    "write": "A file can be written there.",
    "replace": "It can take the place of another, whole.",
    "read": "It can be read again.",
    "remove": "It can be removed.",
}
_FAILS = {
    "find": "There is no such folder: correct folder, or ask its administrator to make it.",
    "write": "No file can be written there",
    "replace": "A file cannot take the place of another there (its host must know posix-rename@openssh.com, as OpenSSH"
    " does, and allow it)",
    "read": "What was written there cannot be read again, and without that nobody knows after a cut line what arrived",
    "remove": "Files cannot be removed there, and what is no longer permitted could not be taken back",
}
_STATUS = {
    403: "it is not allowed: ask its administrator to allow it to the user of folder.",
    404: "there is no such folder or file: correct folder, or ask who takes files away there.",
    503: "the host fails at it: its disk may be full, or it cannot do this.",
}
_WILL = [
    "The plan of each case goes as one document: a PDF, a FHIR Bundle and an index, which is written last and says what"
    " counts.",
    "Each file is written under another name (a dot before, .part behind), and takes its place when it is whole.",
    "What is no longer permitted is removed, and the index says so.",
]
_UNSWEPT = "What a cut line leaves half written stays there: the names in the folder cannot be listed."


def check_folder(desk: Desk, partner: Partner, mark: str) -> dict[str, Any]:
    """As check_partner (checking.py) says. `mark`: 32 hex digits, of which the name of the file is made."""
    can, will = [], list(_WILL)
    wrong = desk.lacking(partner.id)
    if not wrong:
        answer = cast(Folder, desk.server(partner.id)).trial(mark)
        if not isinstance(answer, Answered):
            wrong = [f"It cannot be reached ({answer.reason}): {_WHY[answer.reason]}."]
        elif answer.status != 200:
            wrong = [
                "Its host does not let us in: see the user in folder, [authorisation] in its file, and its secret."
            ]
        else:
            tried = answer.body
            can = [
                "Its host proves the key that host_key names, and lets us in.",
                *(_CAN[each] for each in tried["done"]),
            ]
            will += [] if tried["listed"] else [_UNSWEPT]
            wrong = _failed(tried["failed"], tried["status"])
    return {"partner": partner.id, "address": partner.folder, "can": can, "will": will, "wrong": wrong}


def _failed(step: str, status: int) -> list[str]:
    if not step:
        return []
    return [_FAILS[step] if step == "find" else f"{_FAILS[step]}: {_STATUS.get(status, _STATUS[503])}"]
