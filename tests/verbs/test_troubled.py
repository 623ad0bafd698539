"""A subscription that has not worked for a day is told of once, ours or a partner's, and says nothing of anybody."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from adapter import show
from adapter.core.alert import told, words
from adapter.settings.told import Alerts
from adapter.store import shares, subscriptions
from tests.verbs.agency import Agency
from tests.verbs.conftest import Open
from tests.verbs.test_alerts import Listening
from tests.verbs.test_answers import case
from tests.verbs.test_notify import NUMBER, Scene, goals, scene  # noqa: F401
from tests.verbs.test_subscribe import RULES, agency_of, ours, pass_on, server


def alarms(agency: Agency) -> list[tuple[Any, str, str]]:
    rows = show.alarms(agency.desk)["alarms"]
    return [(row["case"], row["partner"], row["alarm"]) for row in rows if row["alarm"].startswith("subscri")]


def listed(agency: Agency, partner: str = "lakeside") -> list[str]:
    [found] = [each["alarms"] for each in show.partners(agency.desk) if each["id"] == partner]
    return [each["alarm"] for each in found]


@pytest.fixture
def school(open_agency: Open) -> tuple[Agency, Listening]:
    """An agency that subscribes at the school's server, and somebody who is told."""
    agency = agency_of(open_agency, RULES)
    somebody = Listening(agency)
    agency.put(case())
    agency.work()
    return agency, somebody


def hours(agency: Agency, count: int, *, step: int = 1) -> None:
    for _ in range(0, count, step):
        pass_on(agency, hours=step)


def test_ours_that_fails_for_a_day_is_told_of_once_and_again_when_it_fails_again(school: Any) -> None:
    agency, somebody = school
    server(agency).refuses_with = 503
    hours(agency, 20, step=5)
    server(agency).subscriptions.clear()
    assert (ours(agency).state, somebody.heard, alarms(agency)) == ("unreachable", [], [])
    hours(agency, 12, step=6)
    assert [(a.kind, a.partner, a.outcome, a.shares, a.count) for a in somebody.heard] == [
        ("subscription", "lakeside", "", (), 1)
    ]
    assert alarms(agency) == [(None, "lakeside", "subscription")]
    assert listed(agency) == ["subscription"]
    hours(agency, 72, step=24)
    assert len(somebody.heard) == 1, "told once"
    server(agency).refuses_with = 0
    hours(agency, 36, step=12)
    assert (ours(agency).state, alarms(agency), listed(agency)) == ("active", [], [])
    server(agency).refuses_with = 503
    hours(agency, 60, step=12)
    assert [a.kind for a in somebody.heard] == ["subscription"] * 2


def test_ours_that_is_made_again_and_again_and_never_works_is_one_trouble(school: Any) -> None:
    """Its server takes each of them, and puts it in error: the state moves, and no day passes in one of them."""
    agency, somebody = school
    server(agency).first = "error"
    for there in server(agency).subscriptions.values():
        there["status"] = "error"
    hours(agency, 60, step=12)
    assert [a.kind for a in somebody.heard] == ["subscription"]


def test_a_paused_partner_is_told_of_when_it_still_fails_after_that(school: Any) -> None:
    agency, somebody = school
    server(agency).refuses_with = 503
    hours(agency, 20, step=10)
    with agency.desk.store.writing() as tx:
        shares.pause(tx, "lakeside", now=agency.clock.now)
    hours(agency, 48, step=24)
    assert somebody.heard == []
    server(agency).refuses_with = 0
    with agency.desk.store.writing() as tx:
        shares.resume(tx, "lakeside", now=agency.clock.now)
    hours(agency, 12, step=6)
    assert (ours(agency).state, somebody.heard) == ("active", [])


def test_how_long_is_a_setting_and_nobody_is_told_late_who_is_named_late(open_agency: Open) -> None:
    agency = agency_of(open_agency, RULES)
    alerts = Alerts(subscription_hours=2)
    agency.desk = replace(agency.desk, settings=replace(agency.desk.settings, alerts=alerts), ways={})
    server(agency).refuses_with = 503
    agency.put(case())
    agency.work()
    hours(agency, 6, step=3)
    assert alarms(agency) == [(None, "lakeside", "subscription")]
    somebody = Listening(agency)
    agency.work()
    assert [a.kind for a in somebody.heard] == ["subscription"]


SECRET_PLACE = "http://127.0.0.1:{port}/in/" + NUMBER + "/Exemple"


@pytest.fixture
def subscriber(scene: Scene) -> tuple[Scene, Listening, str]:  # noqa: F811
    """The school's endpoint has been failing for two hours: its subscription here is in error."""
    somebody = Listening(scene.agency)
    scene.agency.put(goals())
    scene.agency.work()
    id_ = scene.subscribed(endpoint=SECRET_PLACE.format(port=scene.hook.port))
    scene.endpoint.status = 500
    fail(scene)
    return scene, somebody, id_


def fail(scene: Scene) -> None:  # noqa: F811
    scene.agency.put(goals(**{"g-shown": f"Read {scene.agency.clock.now.isoformat()}"}))
    for _ in range(14):
        scene.pass_on(minutes=60)


def state(scene: Scene, id_: str) -> Any:  # noqa: F811
    return scene.ask("GET", f"Subscription/{id_}").json["status"]


def test_theirs_in_error_is_told_of_without_a_word_about_its_endpoint_or_a_case(subscriber: Any) -> None:
    scene, somebody, id_ = subscriber  # noqa: F811
    assert (state(scene, id_), somebody.heard, alarms(scene.agency)) == ("error", [], [])
    scene.pass_on(hours=26)
    [alert] = somebody.heard
    assert (alert.kind, alert.partner, alert.count) == ("subscriber", "lakeside", 1)
    assert alarms(scene.agency) == [(None, "lakeside", "subscriber")]
    said = f"{alert} {told(alert, 'maple')} {words(alert, 'maple')} {show.alarms(scene.agency.desk)['alarms'][0]}"
    for withheld in (NUMBER, "Exemple", "127.0.0.1", "500", id_, "g-shown", "Read", scene.agency.stored(NUMBER).id):
        assert withheld not in said, withheld


def test_theirs_that_is_asked_for_again_in_vain_is_no_other_trouble(subscriber: Any) -> None:
    """A partner that asks again each hour, and whose endpoint never takes it: one alert, until it does."""
    scene, somebody, id_ = subscriber  # noqa: F811
    again = scene.subscription(endpoint=SECRET_PLACE.format(port=scene.hook.port))
    for _ in range(8):
        assert scene.ask("PUT", f"Subscription/{id_}", {**again, "id": id_}).status_code == 200
        scene.pass_on(hours=4)
    assert [a.kind for a in somebody.heard] == ["subscriber"]
    scene.endpoint.status = 200
    scene.ask("PUT", f"Subscription/{id_}", {**again, "id": id_})
    scene.pass_on(minutes=1)
    assert (state(scene, id_), alarms(scene.agency), listed(scene.agency)) == ("active", [], [])
    scene.endpoint.status = 500
    fail(scene)
    scene.pass_on(hours=30)
    assert [a.kind for a in somebody.heard] == ["subscriber"] * 2


@pytest.mark.parametrize("how", ["deleted", "turned off"])
def test_theirs_that_is_wanted_no_more_is_no_alarm(subscriber: Any, how: str) -> None:
    scene, somebody, id_ = subscriber  # noqa: F811
    if how == "deleted":
        assert scene.ask("DELETE", f"Subscription/{id_}").status_code == 204
    else:
        off = {**scene.subscription(endpoint=SECRET_PLACE.format(port=scene.hook.port)), "id": id_, "status": "off"}
        assert scene.ask("PUT", f"Subscription/{id_}", off).status_code == 200
    scene.pass_on(hours=30)
    assert (somebody.heard, alarms(scene.agency)) == ([], [])
    with scene.agency.desk.store.reading() as tx:
        assert all(one.troubled_at is None for one in subscriptions.of_partner(tx, "lakeside"))
