"""The tables of the referral loop: every state, every setter, every dialect, held against what the guides say."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter import catalogue as catalogues
from adapter.catalogue.dialects import read_dialects
from adapter.catalogue.files import Found
from adapter.core.referral.table import ENDED, STATES, Applied, Dialect, Impossible, Same, Setter, State, move

FOLDER = catalogues.files_root() / "mappings" / "dialects"
FOUND = Found()
DIALECTS = read_dialects(FOLDER, "mappings/dialects", FOUND)
SETTERS: tuple[Setter, ...] = get_args(Setter)

R, O, B, N = "requester", "receiver", "both", "nobody"  # noqa: E741  the letters of the table
WHO: Mapping[str, Mapping[State, str]] = {
    # Who may ever set a state, by the guides' own words (docs/referrals.md names each).
    "gravity": {
        "draft": N, "requested": R, "received": O, "accepted": O, "rejected": O, "cancelled": B, "in-progress": O,
        "on-hold": O, "failed": O, "completed": O, "entered-in-error": R,
    },
    "bser": {
        "draft": N, "requested": R, "received": O, "accepted": O, "rejected": O, "cancelled": B, "in-progress": O,
        "on-hold": O, "failed": O, "completed": O, "entered-in-error": R,
    },
    "ihe": {
        "draft": N, "requested": N, "received": O, "accepted": O, "rejected": O, "cancelled": B, "in-progress": O,
        "on-hold": O, "failed": O, "completed": O, "entered-in-error": N,
    },
    "ontario": {
        "draft": N, "requested": R, "received": O, "accepted": O, "rejected": O, "cancelled": R, "in-progress": O,
        "on-hold": O, "failed": N, "completed": O, "entered-in-error": R,
    },
    "generic": {
        "draft": N, "requested": R, "received": O, "accepted": O, "rejected": O, "cancelled": B, "in-progress": O,
        "on-hold": O, "failed": O, "completed": O, "entered-in-error": R,
    },
}  # fmt: skip
DIFFERENCES = [
    ("gravity", "accepted", "completed", "receiver", "no-such-move"),
    ("generic", "accepted", "completed", "receiver", None),
    ("bser", "accepted", "completed", "receiver", None),
    ("ontario", "accepted", "completed", "receiver", None),
    ("ihe", "requested", "completed", "receiver", None),
    ("ihe", "requested", "in-progress", "receiver", None),
    ("bser", "requested", "in-progress", "receiver", "no-such-move"),
    ("gravity", "in-progress", "cancelled", "requester", None),
    ("ontario", "in-progress", "cancelled", "requester", None),
    ("generic", "in-progress", "cancelled", "requester", "not-theirs"),
    ("generic", "accepted", "cancelled", "requester", None),
    ("bser", "accepted", "cancelled", "requester", "not-theirs"),
    ("bser", "requested", "cancelled", "requester", None),
    ("ihe", "in-progress", "cancelled", "requester", "no-such-move"),
    ("ontario", "requested", "cancelled", "receiver", "not-theirs"),
    ("gravity", "requested", "cancelled", "receiver", None),
    ("ontario", "rejected", "accepted", "receiver", None),
    ("gravity", "rejected", "accepted", "receiver", "ended"),
    ("ihe", "accepted", "rejected", "receiver", None),
    ("bser", "accepted", "rejected", "receiver", "no-such-move"),
    ("generic", "completed", "in-progress", "receiver", "ended"),
    ("generic", "requested", "accepted", "requester", "not-theirs"),
]


def test_the_files_are_sound() -> None:
    assert FOUND.errors == []
    assert set(DIALECTS) == set(WHO)


@pytest.mark.parametrize(
    ("name", "state", "setter"),
    [pytest.param(d, s, by, id=f"{by} sets {s} in {d}") for d in WHO for s in STATES for by in SETTERS],
)
def test_who_may_set_a_state(name: str, state: State, setter: Setter) -> None:
    """From no state may the wrong side set it, and from at least one the right side may."""
    dialect = DIALECTS[name]
    applied = [
        at for at in STATES if isinstance(move(dialect, at, state, setter, reason=True), Applied) and at != state
    ]
    assert bool(applied) == (WHO[name][state] in (setter, "both"))


@pytest.mark.parametrize(
    ("name", "at", "asked", "by", "why"),
    [pytest.param(*row, id=f"{row[0]}: {row[1]} to {row[2]} by the {row[3]}") for row in DIFFERENCES],
)
def test_where_the_guides_differ(name: str, at: State, asked: State, by: Setter, why: str | None) -> None:
    moved = move(DIALECTS[name], at, asked, by, reason=True)
    assert moved == (Impossible(why) if why else Applied(asked))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", sorted(WHO))
def test_every_move_of_every_table_is_total(name: str) -> None:
    """Each of state × state × setter × reason × gaps gives one of three values, and what has ended has ended."""
    dialect = DIALECTS[name]
    everything = itertools.product(STATES, (*STATES, None), SETTERS, (True, False), (True, False))
    for at, asked, by, reason, gaps in everything:
        moved = move(dialect, at, asked, by, reason=reason, gaps=gaps)
        if asked is None:
            assert moved == Impossible("unknown-state")
        elif asked == at or asked == dialect.says.get(at):
            assert moved == Same()
        elif at in ENDED:
            assert moved == Impossible("ended")
        elif isinstance(moved, Applied):
            assert moved.state == asked
            assert reason or asked not in dialect.reasons
            steps = (at, *moved.through, asked)
            assert all(b in dialect.may(by, a) for a, b in itertools.pairwise(steps))
            assert gaps or not moved.through
        else:
            assert gaps or asked not in dialect.may(by, at) or (asked in dialect.reasons and not reason)


@pytest.mark.parametrize(
    ("name", "state"),
    [("gravity", s) for s in ("rejected", "cancelled", "on-hold", "failed")] + [("generic", "rejected")],
)
def test_a_state_that_needs_a_reason_is_not_set_without(name: str, state: State) -> None:
    at: State = "in-progress" if state in ("on-hold", "failed") else "requested"
    by: Setter = "receiver"
    assert move(DIALECTS[name], at, state, by, reason=False) == Impossible("no-reason")
    assert move(DIALECTS[name], at, state, by, reason=True) == Applied(state)


def test_states_that_went_by_unseen_are_named() -> None:
    gravity = DIALECTS["gravity"]
    assert move(gravity, "requested", "completed", "receiver", reason=True) == Impossible("no-such-move")
    assert move(gravity, "requested", "completed", "receiver", reason=True, gaps=True) == Applied(
        "completed", ("accepted", "in-progress")
    )


def test_a_state_that_the_partner_does_not_know_reads_back_as_what_is_written() -> None:
    assert move(DIALECTS["gravity"], "received", "requested", "receiver", reason=False) == Same()
    assert move(DIALECTS["generic"], "received", "requested", "receiver", reason=False) == Impossible("not-theirs")


@pytest.mark.parametrize(
    ("name", "code", "state"),
    [("ontario", "ready", "accepted"), ("gravity", "ready", None), ("generic", "accepted", "accepted"),
     ("generic", "finished", None), ("generic", 7, None), ("generic", None, None)],
)  # fmt: skip
def test_what_a_code_means(name: str, code: object, state: State | None) -> None:
    assert DIALECTS[name].state(code) == state


PLANTED = [
    ("after_start: task", "after_start: sometimes", 23, "after_start: must be one of"),
    ("after_start: task", "after_start: status", 23, "exactly where requester may set cancelled"),
    ("  received: [accepted,", "  received: [acepted,", 16, "receiver received: acepted is no state of a referral"),
    ("  accepted: [cancelled, entered-in-error]", "  completed: [cancelled]", 11, "nothing leads on from this state"),
    ("reason: [rejected, failed]", "reason: rejected", 20, "reason: must be a list of states"),
    ("says: {}", "says: {received: recieved}", 21, "says received: must lead from one state to another"),
    ("hears: {ready: accepted}", "hears: {done: completed}", 22, "hears done: must lead from one state to another"),
    ("title: No guide in particular", "titel: No guide", 4, "titel: is not known here"),
    ("  requested: [received, accepted, rejected, in-progress, on-hold]", "  draft: [accepted]", 14,
     "nothing leads from requested to"),
    ("  on-hold: [accepted, in-progress, rejected, cancelled, failed]", "  rejected: [on-hold]", 14,
     "nothing leads on from on-hold"),
    ("  in-progress: [on-hold,", "  in-progress: [in-progress,", 18, "receiver in-progress: leads to itself"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "detail"), PLANTED, ids=[row[1].strip() for row in PLANTED])
def test_a_mistake_in_a_table_is_found(old: str, new: str, line: int, detail: str, tmp_path) -> None:  # type: ignore[no-untyped-def]
    text = (FOLDER / "generic.yaml").read_text("utf-8")
    assert old in text
    (tmp_path / "generic.yaml").write_text(text.replace(old, new, 1), "utf-8")
    found = Found()
    read_dialects(tmp_path, "mappings/dialects", found)
    told = [f for f in found.errors if detail in f.detail]
    assert told, [str(f) for f in found.errors]
    assert abs(told[0].line - line) <= 1


def test_a_folder_without_the_generic_table_is_refused(tmp_path) -> None:  # type: ignore[no-untyped-def]
    found = Found()
    read_dialects(tmp_path, "mappings/dialects", found)
    assert [f.detail for f in found.errors] == ["is missing: partners that name none use it"]


MOVES = st.tuples(st.sampled_from(STATES), st.sampled_from(SETTERS), st.booleans(), st.booleans())


@given(name=st.sampled_from(sorted(WHO)), asked=st.lists(MOVES, max_size=20))
def test_nothing_leads_out_of_an_end(name: str, asked: list[tuple[State, Setter, bool, bool]]) -> None:
    """Whatever is asked for, in whatever order: once it has ended it stays as it is, and each move is the table's."""
    dialect: Dialect = DIALECTS[name]
    at: State = "requested"
    for state, by, reason, gaps in asked:
        match move(dialect, at, state, by, reason=reason, gaps=gaps):
            case Applied(to):
                assert not dialect.ended(at)
                at = to
            case _:
                continue
