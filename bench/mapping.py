"""Mapping a whole case: written by hand in Python, compiled by us, and by `fpml` as shipped and with a cache.

Run `.venv/bin/python bench/mapping.py`. Every way must give the same output before it is measured. Figures are the
best of several rounds, in microseconds of processor time a call; a case is eight goals and a plan. Ends with 1 where a
whole case takes more than 2.5 times what it takes by hand, or fpml less than 1,000 times (with a cache: 100) of ours.
"""

from __future__ import annotations

import sys
import time
import timeit
from collections.abc import Callable
from typing import Any

import fhirpathpy
import fpml

from adapter.core.mapping.positions import read_yaml
from adapter.core.mapping.template import compile_template

GOAL = """
resourceType: Goal
identifier: [{system: "{{ %agency }}", value: "{{ path }}"}]
lifecycleStatus: "{{ state }}"
achievementStatus:
  coding: [{system: "http://terminology.hl7.org/CodeSystem/goal-achievement", code: "{{ achievement }}"}]
priority:
  "{% assign %}": [{p: "{{ %cm.priority.where(src = %context.priority) }}"}]
  coding:
    - system: "http://terminology.hl7.org/CodeSystem/goal-priority"
      code: "{{ %p.code }}"
      display: "{{ %p.display }}"
description: {text: "{{ title }}"}
subject: {reference: "Patient/{{ %child }}"}
startDate: "{{ start }}"
statusDate: "{{ updated }}"
target:
  - "{{ target }}":
      measure: {text: "{{ measure }}"}
      detailQuantity: {value: "{{ value }}", unit: "{{ unit }}"}
      dueDate: "{{ due }}"
expressedBy: {reference: "Practitioner/{{ author }}"}
note:
  - "{{ notes }}":
      authorReference: {reference: "Practitioner/{{ by }}"}
      time: "{{ at }}"
      text: "{{ text }}"
"""
PLAN = """
resourceType: CarePlan
identifier: [{system: "{{ %agency }}", value: "{{ path }}"}]
status: "{{ state }}"
intent: plan
title: "{{ title }}"
description: "{{ vision }}"
subject: {reference: "Patient/{{ %child }}"}
period: {start: "{{ period.start }}", end: "{{ period.end }}"}
goal:
  - "{% for goal in goals %}": {reference: "Goal/{{ %goal }}"}
activity:
  - "{{ activities }}":
      detail:
        kind: Task
        status: "{{ status }}"
        description: "{{ title }}"
        goal:
          - "{% for goal in goals %}": {reference: "Goal/{{ %goal }}"}
        scheduledPeriod: {start: "{{ begin }}", end: "{{ due }}"}
        performer:
          - "{{ who }}": {reference: "Practitioner/{{ id }}", display: "{{ name }}"}
note:
  - "{{ notes }}": {text: "{{ text }}", time: "{{ at }}"}
"""


def by_hand_goal(r: dict[str, Any], v: dict[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {"resourceType": "Goal", "identifier": [{"system": v["agency"], "value": r["path"]}]}
    if state := r.get("state"):
        out["lifecycleStatus"] = state
    if achievement := r.get("achievement"):
        system = "http://terminology.hl7.org/CodeSystem/goal-achievement"
        out["achievementStatus"] = {"coding": [{"system": system, "code": achievement}]}
    if found := next((m for m in v["cm"]["priority"] if m["src"] == r.get("priority")), None):
        system = "http://terminology.hl7.org/CodeSystem/goal-priority"
        out["priority"] = {"coding": [{"system": system, "code": found["code"], "display": found["display"]}]}
    if title := r.get("title"):
        out["description"] = {"text": title}
    out["subject"] = {"reference": f"Patient/{v['child']}"}
    for key, name in (("start", "startDate"), ("updated", "statusDate")):
        if value := r.get(key):
            out[name] = value
    if t := r.get("target"):
        target: dict[str, Any] = {}
        if measure := t.get("measure"):
            target["measure"] = {"text": measure}
        quantity = {k: t[k] for k in ("value", "unit") if t.get(k) is not None}
        if quantity:
            target["detailQuantity"] = quantity
        if due := t.get("due"):
            target["dueDate"] = due
        if target:
            out["target"] = [target]
    if author := r.get("author"):
        out["expressedBy"] = {"reference": f"Practitioner/{author}"}
    if notes := r.get("notes"):
        out["note"] = [
            {"authorReference": {"reference": f"Practitioner/{n['by']}"}, "time": n["at"], "text": n["text"]}
            for n in notes
        ]
    return out


def by_hand_plan(r: dict[str, Any], v: dict[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {"resourceType": "CarePlan", "identifier": [{"system": v["agency"], "value": r["path"]}]}
    if state := r.get("state"):
        out["status"] = state
    out["intent"] = "plan"
    for key, name in (("title", "title"), ("vision", "description")):
        if value := r.get(key):
            out[name] = value
    out["subject"] = {"reference": f"Patient/{v['child']}"}
    if period := {k: x for k in ("start", "end") if (x := r.get("period", {}).get(k))}:
        out["period"] = period
    if goals := [{"reference": f"Goal/{g}"} for g in r.get("goals", ())]:
        out["goal"] = goals
    activities = []
    for a in r.get("activities", ()):
        detail: dict[str, Any] = {"kind": "Task"}
        for key, name in (("status", "status"), ("title", "description")):
            if value := a.get(key):
                detail[name] = value
        if goals := [{"reference": f"Goal/{g}"} for g in a.get("goals", ())]:
            detail["goal"] = goals
        if period := {n: x for k, n in (("begin", "start"), ("due", "end")) if (x := a.get(k))}:
            detail["scheduledPeriod"] = period
        if who := [{"reference": f"Practitioner/{w['id']}", "display": w["name"]} for w in a.get("who", ())]:
            detail["performer"] = who
        activities.append({"detail": detail})
    if activities:
        out["activity"] = activities
    if notes := [{"text": n["text"], "time": n["at"]} for n in r.get("notes", ())]:
        out["note"] = notes
    return out


RECORD = {
    "goal": {
        "path": "goals/G1", "state": "active", "achievement": "in-progress", "priority": "H", "start": "2026-04-01",
        "title": "Walk to school on his own", "updated": "2026-05-01", "author": "P1",
        "target": {"measure": "days a week", "value": 4, "unit": "d", "due": "2026-12-01"},
        "notes": [{"by": "P1", "at": f"2026-05-0{i}T10:00:00Z", "text": "Two days this week."} for i in range(1, 3)],
    },
    "plan": {
        "path": "care_plans/C1", "state": "active", "title": "Plan", "vision": "To be with friends.",
        "period": {"start": "2026-01-01", "end": "2026-12-31"}, "goals": [f"G{i}" for i in range(8)],
        "activities": [
            {"status": "in-progress", "title": f"Step {i}", "goals": [f"G{i % 8}"], "begin": "2026-02-01",
             "due": "2026-06-01", "who": [{"id": f"P{i % 5}", "name": "A. Person"}]} for i in range(15)
        ],
        "notes": [{"text": "Agreed at the meeting.", "at": "2026-02-01T10:00:00Z"}],
    },
}  # fmt: skip
VARIABLES = {
    "agency": "https://agency.example/id", "child": "K1",
    "cm": {"priority": [{"src": s, "code": f"{s}-priority", "display": f"{s} Priority"} for s in "LMH"]},
}  # fmt: skip


def cached() -> Callable[[Any, str, dict[str, Any]], list[Any]]:
    known: dict[str, Any] = {}

    def evaluate(resource: Any, expression: str, context: dict[str, Any]) -> list[Any]:
        if expression not in known:
            known[expression] = fhirpathpy.compile(expression)
        return list(known[expression](resource, context))

    return evaluate


def micros(work: Callable[[], Any], number: int) -> float:
    return min(timeit.repeat(work, number=number, repeat=7, timer=time.process_time)) / number * 1e6


GOALS_OF_A_CASE = 8
LIMITS = {"compiled": (0.0, 2.5), "fpml, expressions cached": (100.0, 0.0), "fpml as shipped": (1000.0, 0.0)}
"""Way → at least so many times what ours takes, and at most so many times what it takes by hand."""


def measured(name: str, text: str, by_hand: Callable[..., Any]) -> dict[str, float]:
    """Each way with its time; all of them give the same."""
    body, record = read_yaml(text, name)[0].value, RECORD[name]
    template, evaluate = compile_template(body, name=name), cached()
    known = template.environment(VARIABLES)
    ways: dict[str, tuple[Callable[[], Any], int]] = {
        "by hand": (lambda: by_hand(record, VARIABLES), 3000),
        "compiled": (lambda: template.render(record, known), 3000),
        "fpml, expressions cached": (lambda: fpml.resolve_template(record, body, VARIABLES, evaluate=evaluate), 3),
        "fpml as shipped": (lambda: fpml.resolve_template(record, body, VARIABLES), 1),
    }
    wanted = by_hand(record, VARIABLES)
    for way, (work, _) in ways.items():
        if work() != wanted:
            raise SystemExit(f"{name}, {way}: the output differs")
    return {way: micros(work, number) for way, (work, number) in ways.items()}


def main() -> int:
    goal, plan = measured("goal", GOAL, by_hand_goal), measured("plan", PLAN, by_hand_plan)
    case = {way: GOALS_OF_A_CASE * goal[way] + plan[way] for way in goal}
    missed = False
    for name, took in (("goal", goal), ("plan", plan), ("case", case)):
        for way, micros_ in took.items():
            by_hand, ours = micros_ / took["by hand"], micros_ / took["compiled"]
            least, most = LIMITS.get(way, (0.0, 0.0))
            wrong = name == "case" and (ours < least or bool(most) and by_hand > most)
            missed = missed or wrong
            print(f"{name:5} {way:26} {micros_:10.1f} us {by_hand:9.1f} x by hand {ours:9.1f} x compiled"
                  f"{'  MISSED' if wrong else ''}")  # fmt: skip
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
