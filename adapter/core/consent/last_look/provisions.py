"""What one provision permits or denies, read once more (consent.md, *A provision* and rules 2 to 4)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from adapter.core.consent.last_look.givers import authority, decides_alone, may_permit_for_itself
from adapter.core.consent.last_look.moment import PURPOSES, TOPICS, Consent, Moment, Provision, day, names


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked about: one part, all its topics, and the records and entries that it stands in."""

    part: str
    topics: frozenset[str]
    chain: tuple[str, ...]


def computable(m: Moment, consent: Consent) -> bool:
    """One level of exceptions, of the opposite effect; nothing unknown; no denial of what was never in the case."""
    return all(_clear(m, each) for each in consent["provisions"])


def _clear(m: Moment, provision: Provision) -> bool:
    inner = list(provision.get("except") or ())
    opposite = {"permit": "deny", "deny": "permit"}.get(provision.get("effect", ""))
    return (
        opposite is not None
        and all(each.get("effect") == opposite and not each.get("except") for each in inner)
        and all(_known(m, each) for each in [provision, *inner])
    )


def _known(m: Moment, provision: Provision) -> bool:
    permits = provision["effect"] == "permit"
    codes = (
        set(names(provision, "parts")) <= {*m.rulebook.parts, "all"}
        and set(names(provision, "purposes")) <= {*PURPOSES, "all"}
        and set(names(provision, "topics")) <= (TOPICS if permits else {*TOPICS, "all"})
    )
    receivers = all(_is_receiver(m, each) for each in names(provision, "to"))
    return codes and receivers and (permits or not _never_there(m, provision))


def _is_receiver(m: Moment, to: str) -> bool:
    if to.startswith("sectors/"):
        return to.removeprefix("sectors/") in m.rulebook.sectors
    return to in ("all", "care-team") or (to.startswith("partners/") and to != "partners/")


def _never_there(m: Moment, provision: Provision) -> list[str]:
    return [each for each in names(provision, "records") if each not in m.there]


def reaches(m: Moment, permit: Provision, consent: Consent) -> bool:
    """Does a permit name this partner, and is it in force? (Nothing of this depends on what is asked.)"""
    return bool(names(permit, "to")) and _to_named(m, permit, consent) and _in_force(m, permit)


def grants(m: Moment, permit: Provision, consent: Consent, asked: Asked, purpose: str) -> bool:
    """Rule 4: of a permit that reaches, are purpose, part and every topic named by it alone, and not carved out?"""
    return (
        bool(names(permit, "purposes") and names(permit, "parts"))
        and _named(m, permit, consent, asked, purpose)
        and asked.topics <= set(names(permit, "topics"))
        and not any(aims(m, each, consent) and hits(m, each, asked, purpose) for each in permit.get("except") or ())
    )


def _named(m: Moment, permit: Provision, consent: Consent, asked: Asked, purpose: str) -> bool:
    """Does what it names fit? What it leaves out, an exception takes over from its parent."""
    purposes, records = names(permit, "purposes"), names(permit, "records")
    return (
        (not purposes or purpose in purposes or "all" in purposes)
        and (not names(permit, "parts") or _part_named(m, permit, consent, asked.part))
        and ("records" not in permit or not set(records).isdisjoint(asked.chain))
    )


def _in_force(m: Moment, permit: Provision) -> bool:
    period = permit.get("period")
    return period is None or m.within(period, need_start=True, need_end=True)


def spares(m: Moment, exception: Provision, deny: Provision, consent: Consent, asked: Asked, purpose: str) -> bool:
    """Does a permit that stands as the exception of a deny carve this out of it?"""
    return (
        (not names(exception, "to") or _to_named(m, exception, consent))
        and _in_force(m, exception)
        and _named(m, exception, consent, asked, purpose)
        and _topics_spared(names(exception, "topics"), names(deny, "topics"), asked.topics)
    )


def _topics_spared(spared: tuple[str, ...], denied: tuple[str, ...], topics: frozenset[str]) -> bool:
    """Where it names topics, it must name each for which the deny hits; what is about none, it does not speak of."""
    hit = topics if not denied or "all" in denied else topics & {*denied, "unreviewed"}
    return not spared or (bool(hit) and hit <= set(spared))


def aims(m: Moment, deny: Provision, consent: Consent) -> bool:
    """Is a deny meant for this partner, and has it begun and not ended? What it leaves out, it denies all of."""
    began = m.within({"start": (consent.get("period") or {}).get("start")})
    return began and m.within(deny.get("period")) and _to_denied(m, deny)


def hits(m: Moment, deny: Provision, asked: Asked, purpose: str) -> bool:
    """Rule 3: of a deny that is aimed, does it hit what is asked about?"""
    return (
        _any_of(names(deny, "purposes"), purpose, PURPOSES)
        and _any_of(names(deny, "parts"), asked.part, m.rulebook.parts)
        and _topic_denied(deny, asked.topics)
        and _record_denied(m, deny, asked.chain)
    )


def _to_named(m: Moment, provision: Provision, consent: Consent) -> bool:
    """A group (all, a sector) reaches the partners that existed when it was signed, and those confirmed since."""
    signed = m.day_signed(consent)
    there = (signed is not None and m.partner.since <= signed) or _confirmed(m, provision)
    groups = {"all", *(f"sectors/{sector}" for sector in m.partner.sectors)}
    return any(
        to == f"partners/{m.partner.id}" or (to == "care-team" and _invited(m)) or (to in groups and there)
        for to in names(provision, "to")
    )


def _confirmed(m: Moment, provision: Provision) -> bool:
    """By somebody who may permit, on the day of the confirmation and today."""
    return any(
        each["partner"].removeprefix("partners/") == m.partner.id
        and day(each["on"]) <= m.today
        and all(_may_confirm(m, each["by"], at) for at in (day(each["on"]), m.today))
        for each in provision.get("confirmed") or ()
    )


def _may_confirm(m: Moment, who: str, at: date) -> bool:
    if who == "child":
        return may_permit_for_itself(m, at)
    return authority(m, who, at) and decides_alone(m, at) is False


def _to_denied(m: Moment, provision: Provision) -> bool:
    """A word that is no receiver may mean anyone."""
    receivers = names(provision, "to")
    return not receivers or any(
        to in ("all", f"partners/{m.partner.id}")
        or (to.startswith("sectors/") and to.removeprefix("sectors/") in m.partner.sectors)
        or (to == "care-team" and any(_offered(m, seat) for team in m.of("care_teams") for seat in _seats(team)))
        or not _is_receiver(m, to)
        for to in receivers
    )


def _seats(team: Provision) -> Sequence[Provision]:
    return team.get("members") or ()


def _offered(m: Moment, seat: Provision) -> bool:
    return seat.get("member") in m.own and seat.get("invited_by_family") is True


def _invited(m: Moment) -> bool:
    return any(
        _offered(m, seat) and m.within({"start": seat.get("since"), "end": seat.get("until")})
        for team in m.of("care_teams")
        if team.get("status") == "active" and m.within(team.get("period"))
        for seat in _seats(team)
    )


def _part_named(m: Moment, provision: Provision, consent: Consent, part: str) -> bool:
    named, signed = names(provision, "parts"), m.day_signed(consent)
    return part in named or ("all" in named and signed is not None and m.rulebook.parts[part] <= signed)


def _any_of(named: tuple[str, ...], value: str, known: Iterable[str]) -> bool:
    """In a deny: left out is all of it, and a word that nobody knows may be any of it."""
    return not named or "all" in named or value in named or not set(named) <= set(known)


def _topic_denied(provision: Provision, topics: frozenset[str]) -> bool:
    """Text that nobody has reviewed may be about any topic."""
    named = names(provision, "topics")
    if not named or not set(named) <= {*TOPICS, "all"}:
        return True
    return ("all" in named and bool(topics)) or not topics.isdisjoint({*named, "unreviewed"})


def _record_denied(m: Moment, provision: Provision, chain: tuple[str, ...]) -> bool:
    """Also what waits because it may be the denied record come back; and one that never was may be any."""
    named, waiting = set(names(provision, "records")), m.kept.get("waiting") or {}
    if not named or _never_there(m, provision):
        return True
    return any(each in named or not named.isdisjoint(waiting.get(each) or ()) for each in chain)
