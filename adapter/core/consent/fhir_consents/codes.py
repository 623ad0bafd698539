"""What is certain about codes: the order of confidentiality, the tree of purposes, and when two codings are one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from adapter.core.consent.fhir_consents.values import Coding

ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
ACT_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
OWN_PURPOSES = "https://csp-adapter.example/CodeSystem/purpose"
OBSERVATION_VALUE = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"

_ORDER = ("U", "L", "M", "N", "R", "V")
"""Unrestricted to very restricted (v3-Confidentiality): each covers those before it."""

_NARROWER = {
    "HOPERAT": "CAREMGT DONAT FRAUD GOV HACCRED HCOMPL HDECD HDIRECT HDM HLEGAL HOUTCOMS HPRGRP HQUALIMP HSYSADMIN "
    "MEMADMIN MILCDM PATADMIN PATSFTY PERFMSR RECORDMGT SYSDEV TRAIN",
    "HSYSADMIN": "LABELING METAMGT",
    "SYSDEV": "HTEST",
    "HPAYMT": "CLMATTCH COVAUTH COVERAGE REMITADV",
    "COVERAGE": "ELIGDTRM ELIGVER ENROLLM MILDCRG",
    "HRESCH": "BIORCH CLINTRCH DSRCH POARCH TRANSRCH",
    "CLINTRCH": "CLINTRCHNPC CLINTRCHPC PRECLINTRCH",
    "PATRQT": "FAMRQT PWATRNY SUPNWK",
    "PUBHLTH": "DISASTER THREAT",
    "TREAT": "CLINTRL COC ETREAT",
    "ETREAT": "BTG",
}
"""Of HL7's v3-ActReason (terminology.hl7.org, PurposeOfUse): each concept on the right is also one of the left."""
_WIDER = {child: parent for parent, children in _NARROWER.items() for child in children.split()}
_OVERRIDES = frozenset({"BTG"})
"""Breaking the glass overrides what was agreed: a permit covers it only by name."""


_HANDLING = (
    "NOAUTH NOCOLLECT NODSCLCD NODSCLCDS NOINTEGRATE NOLIST NOMOU NOORGPOL NOPAT NOPERSISTP NORDSCLCD NORDSCLCDS "
    "NORELINK NOREUSE NOVIP ORCON ANONY AOD AUDIT DEID DELAU ENCRYPT HUAPRV LABEL MASK MINEC PRIVMARK PSEUD REDACT"
)
"""Of v3-ActCode, refrain and obligation policies: how to handle data, not how sensitive they are."""


def same(listed: Coding, asked: Coding) -> bool | None:
    """Is it one code? An asked code without a system means any; the same code of other systems cannot be told."""
    if listed.code != asked.code:
        return False
    if not asked.system or listed.system == asked.system:
        return True
    return None


def covers(listed: Coding, asked: Coding, *, permits: bool) -> bool | None:
    """Does one purpose cover another: itself, or a narrower one where HL7's own tree says so?"""
    exact = same(listed, asked)
    if exact is not False or not {listed.system, asked.system} <= {ACT_REASON, ""}:
        return exact
    if permits and asked.code in _OVERRIDES:
        return False
    return listed.code in _wider(asked.code)


def rank(label: Coding) -> int | None:
    """Where a confidentiality label stands in the order; None for a code that has no place in it."""
    return _ORDER.index(label.code) if label.code in _ORDER else None


def is_confidentiality(label: Coding) -> bool:
    return label.system == CONFIDENTIALITY or (not label.system and label.code in _ORDER)


def is_sensitivity(label: Coding) -> bool:
    """Purposes, integrity and handling also stand among labels, and say nothing about how sensitive the data are."""
    if is_confidentiality(label) or label.system in (ACT_REASON, OBSERVATION_VALUE, OWN_PURPOSES):
        return False
    return label.code not in _HANDLING.split() or label.system not in (ACT_CODE, "")


def either(answers: Iterable[bool | None]) -> bool | None:
    """One certain yes is a yes; otherwise one that cannot be told leaves it open."""
    found = list(answers)
    return True if True in found else None if None in found else False


def every(answers: Iterable[bool | None]) -> bool | None:
    """One certain no is a no; otherwise one that cannot be told leaves it open."""
    found = list(answers)
    return False if False in found else None if None in found else True


def _wider(code: str) -> Iterator[str]:
    while code in _WIDER:
        code = _WIDER[code]
        yield code
