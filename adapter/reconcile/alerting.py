"""Tells people of what waits for them. That it cannot be told never holds up a share: it is tried again."""

from __future__ import annotations

from datetime import timedelta

from adapter.core.alert import Alert, Kind, wait_after
from adapter.desk import Desk
from adapter.store import alerts, notices, shares, troubled
from adapter.store.database import Tx
from adapter.store.shares import Share

_LEASE = timedelta(minutes=5)
"""For telling once, whatever the mail server takes its time for; then another worker tries."""


def note(desk: Desk, tx: Tx, kind: Kind, partner: str, *, share: int | None, outcome: str) -> None:
    """Let it be told, in the transaction in which it happened, by each way that the settings name."""
    every = timedelta(minutes=desk.settings.alerts.every_minutes)
    alerts.note(tx, desk.ways, kind, partner, share=share, outcome=outcome, now=desk.clock(), every=every)


def note_stop(desk: Desk, tx: Tx, kind: Kind, share: Share, *, outcome: str) -> None:
    """A share has stopped: people are told, and the case system."""
    note(desk, tx, kind, share.partner, share=share.id, outcome=outcome)
    notices.note(tx, "share.stopped", {"case": share.case_id, "partner": share.partner}, now=desk.clock())


def note_troubled(desk: Desk) -> bool | None:
    """Let it be told, once, that a subscription has not worked for as long as the settings say: the partner, and whose
    it is. True if there is news; None where there is none."""
    if not desk.ways:
        return None  # whoever is named later is told then
    now = desk.clock()
    until = now - timedelta(hours=desk.settings.alerts.subscription_hours)
    with desk.store.reading() as tx:
        held = shares.pauses_since(tx)
        found = troubled.listed(tx, until=until, now=now)
    called = {p.id for p in desk.catalogue.partners.values() if not p.paused and p.id not in held}
    new = [one for one in found if not one.alarmed and one.partner in called]
    if not new:
        return None
    with desk.store.writing() as tx:
        for one in new:
            if troubled.alarm(tx, one, until=until):
                note(desk, tx, one.whose, one.partner, share=None, outcome="")
    return True


def tell_next(desk: Desk) -> bool | None:
    """Tell the alert that has been due longest: True if it was told, False if not; None where none is due."""
    if not desk.ways:
        return None
    with desk.store.reading() as tx:
        if not alerts.is_due(tx, now=desk.clock()):
            return None
    with desk.store.writing() as tx:
        due = alerts.claim(tx, now=desk.clock(), lease=_LEASE)
    if due is None:
        return None
    # A way that the settings name no more has nobody at its end: what was to go there is done with.
    done = due.way not in desk.ways or desk.ways[due.way](due.alert)
    now = desk.clock()
    with desk.store.writing() as tx:
        if done:
            alerts.told(tx, due, now=now, every=timedelta(minutes=desk.settings.alerts.every_minutes))
        else:
            alerts.put_off(tx, due, until=now + wait_after(due.attempts))
    return done


def trial(desk: Desk) -> dict[str, bool]:
    """Tell, by each way, that this is a trial; by way, whether it was told."""
    now = desk.clock()
    alert = Alert(f"trial-{now:%Y%m%dT%H%M%S%f}", "trial", "none", (), "", 1, now, now)
    return {way: tell(alert) for way, tell in desk.ways.items()}
