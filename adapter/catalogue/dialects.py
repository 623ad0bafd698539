"""Reads the tables of the referral loop (mappings/dialects), and checks that each is one that a loop can run by."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, cast, get_args

from adapter.catalogue.files import Found, Source, read_yaml
from adapter.core.referral.table import ENDED, STATES, AfterStart, Dialect, Setter, State

GENERIC = "generic"
"""The dialect of a partner whose file names none."""
TASK_STATUS = frozenset((*STATES, "ready"))
"""http://hl7.org/fhir/R4/valueset-task-status.html"""
_KEYS = ("title", "source", "requester", "receiver", "reason", "says", "hears", "after_start")
_ASKS = frozenset(get_args(AfterStart))


def read_dialects(folder: Path, name: str, found: Found) -> dict[str, Dialect]:
    """Every dialect by the name of its file; errors noted where a state, a key or a way through the loop is wrong."""
    dialects: dict[str, Dialect] = {}
    for path in sorted(folder.glob("*.yaml")):
        source = read_yaml(path, f"{name}/{path.name}", found)
        if not source.text:
            continue
        before = len(found.errors)
        dialect = _dialect(path.stem, source, found)
        if len(found.errors) == before:
            found.errors.extend(source.finding(detail, *place) for place, detail in _loose_ends(dialect))
        dialects[path.stem] = dialect
    if GENERIC not in dialects:
        found.errors.append(Source(f"{name}/{GENERIC}.yaml", {}).finding("is missing: partners that name none use it"))
    return dialects


def _dialect(id_: str, source: Source, found: Found) -> Dialect:
    values: Mapping[str, Any] = source.values
    found.errors.extend(source.finding(f"{key}: is not known here", key) for key in values if key not in _KEYS)
    for key in ("title", "source"):
        if not isinstance(values.get(key), str) or not values[key].strip():
            found.errors.append(source.finding(f"{key}: must be a text", key))
    after = values.get("after_start")
    if after not in _ASKS:
        found.errors.append(source.finding(f"after_start: must be one of {', '.join(sorted(_ASKS))}", "after_start"))
    says = _pairs(source, "says", STATES, STATES, found)
    hears = _pairs(source, "hears", TASK_STATUS, STATES, found)
    return Dialect(
        id_,
        {setter: _moves(source, setter, found) for setter in get_args(Setter)},
        _states(source, values.get("reason", []), ("reason",), found),
        cast("Mapping[State, State]", says),
        cast("Mapping[str, State]", hears),
        cast(AfterStart, after),
        str(values.get("title", "")),
        str(values.get("source", "")),
    )


def _moves(source: Source, setter: str, found: Found) -> dict[State, frozenset[State]]:
    table = source.values.get(setter)
    if not isinstance(table, Mapping) or not table:
        found.errors.append(source.finding(f"{setter}: must say what it may set from which state", setter))
        return {}
    moves: dict[State, frozenset[State]] = {}
    for start, ends in table.items():
        if start not in STATES:
            found.errors.append(source.finding(f"{setter} {start}: is no state of a referral", setter, start))
            continue
        if start in ENDED:
            found.errors.append(source.finding(f"{setter} {start}: nothing leads on from this state", setter, start))
        moves[start] = _states(source, ends, (setter, start), found) - {start}
        if isinstance(ends, list) and start in ends:
            found.errors.append(source.finding(f"{setter} {start}: leads to itself", setter, start))
    return moves


def _states(source: Source, value: Any, place: tuple[str, ...], found: Found) -> frozenset[State]:
    if not isinstance(value, list):
        found.errors.append(source.finding(f"{' '.join(place)}: must be a list of states", *place))
        return frozenset()
    for position, each in enumerate(value):
        if each not in STATES:
            detail = f"{' '.join(place)}: {each} is no state of a referral"
            found.errors.append(source.finding(detail, *place, position))
    return frozenset(each for each in value if each in STATES)


def _pairs(source: Source, key: str, known: Collection[str], targets: Collection[str], found: Found) -> dict[str, str]:
    table = source.values.get(key, {})
    if not isinstance(table, Mapping):
        found.errors.append(source.finding(f"{key}: must hold states", key))
        return {}
    for one, other in table.items():
        if one not in known or other not in targets or one == other:
            found.errors.append(source.finding(f"{key} {one}: must lead from one state to another", key, one))
    return {str(one): str(other) for one, other in table.items() if one in known and other in targets}


def _loose_ends(dialect: Dialect) -> Iterator[tuple[tuple[str, ...], str]]:
    """What is well written, and yet no loop: a referral could not be answered, or would hang."""
    reachable: set[State] = {"requested"}
    for _ in STATES:
        reachable |= {end for moves in dialect.moves.values() for start in reachable for end in moves.get(start, ())}
    for state in ("accepted", "rejected", "completed"):
        if state not in reachable:
            yield ("receiver",), f"nothing leads from requested to {state}"
    for setter, moves in dialect.moves.items():
        for start in moves:
            if start not in reachable | {"draft"}:
                yield (setter, start), f"{setter} {start}: nothing leads to this state"
    for state in sorted(reachable - ENDED - {"rejected"}):
        if not dialect.may("receiver", state):
            yield ("receiver",), f"nothing leads on from {state}: the receiver could not answer"
    for state, instead in dialect.says.items():
        if instead in dialect.says:
            yield ("says", state), f"says {state}: {instead} is itself said otherwise"
    cancels = any("cancelled" in dialect.may("requester", s) for s in ("in-progress", "on-hold"))
    if cancels != (dialect.after_start == "status"):
        yield ("after_start",), "after_start: status, exactly where requester may set cancelled from in-progress"
