"""A partner's names for our resources: stable, its own, and silent about the record."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.core.identity import Identity, Key, directory_key

SCHOOL = Identity(b"0123456789abcdef", "school", "https://agency.example.ca/id/school")
HOSPITAL = Identity(b"0123456789abcdef", "hospital", "https://agency.example.ca/id/hospital")
KEYS = st.builds(Key, st.text(min_size=1), st.text(), st.text(), st.text())


@given(one=KEYS, other=KEYS)
def test_two_keys_never_share_a_name(one: Key, other: Key) -> None:
    """Fields cannot run into each other: ("a", "bc") and ("ab", "c") are two keys."""
    assert (SCHOOL.urn(one) == SCHOOL.urn(other)) == (one == other)
    assert (SCHOOL.identifier(one) == SCHOOL.identifier(other)) == (one == other)


@given(key=KEYS)
def test_names_are_uuids_and_differ_at_each_partner(key: Key) -> None:
    """urn:uuid as RFC 4122 has it; neither name is a piece of the other."""
    urn = SCHOOL.urn(key)
    uuid = UUID(urn.removeprefix("urn:uuid:"))
    system, value = SCHOOL.identifier(key)
    assert urn == f"urn:uuid:{uuid}" and uuid.variant == "specified in RFC 4122"
    assert system == SCHOOL.system
    assert urn != HOSPITAL.urn(key) and value != HOSPITAL.identifier(key)[1]
    assert uuid.hex[:8] not in value


def test_a_name_says_nothing_of_the_case() -> None:
    """Neither the case number nor the record's id stands in it."""
    key = Key("C-1042", "goals/stop-cutting", "Goal")
    told = SCHOOL.urn(key) + "".join(SCHOOL.identifier(key))
    assert "1042" not in told and "cutting" not in told


def test_another_secret_gives_other_names_and_a_short_one_is_refused() -> None:
    """The secret is what makes them opaque; it does not show in a repr."""
    key = Key("C-1", "child", "Patient")
    other = Identity(b"another secret!!", "school", SCHOOL.system)
    assert other.urn(key) != SCHOOL.urn(key)
    assert "0123456789abcdef" not in repr(SCHOOL)
    with pytest.raises(ValueError, match="16 bytes"):
        Identity(b"short", "school", SCHOOL.system)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param({"name": "École  Pavillon"}, {"name": "école pavillon"}, True, id="case and spaces do not matter"),
        pytest.param({"name": "St. Mary's"}, {"name": "St Mary’s"}, True, id="punctuation does not matter"),
        pytest.param({"name": "Ecole"}, {"name": "École"}, False, id="accents do"),
        pytest.param(
            {"name": "Hub", "sectors": ["a", "b"]}, {"name": "Hub", "sectors": ["b", "a"]}, True, id="sectors are a set"
        ),
        pytest.param({"name": "Hub", "sectors": ["a"]}, {"name": "Hub", "sectors": ["b"]}, False, id="another sector"),
        pytest.param(
            {"name": "Hub", "identifiers": [("s", "1"), ("r", "2")]},
            {"name": "Renamed", "identifiers": [("r", "2"), ("s", "1")]},
            True,
            id="a real identifier outlives a name",
        ),
        pytest.param(
            {"name": "Hub", "identifiers": [("s", "1")]},
            {"name": "Hub", "identifiers": [("s", "2")]},
            False,
            id="two numbers",
        ),
    ],
)
def test_directory_keys(one: dict[str, object], other: dict[str, object], same: bool) -> None:
    """Which two descriptions are one organization, whichever case they stand in."""
    keys = [directory_key("Organization", **fact) for fact in (one, other)]  # type: ignore[arg-type]
    assert (keys[0] == keys[1]) is same
    assert all(key.case == "" for key in keys)
