"""What is sealed opens only with its keys and in its place, and neither seal nor key file tells anything by mistake."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.errors import Misconfigured
from adapter.store.seal import Keys, Seal

KEYS = Keys.generate()
PLACE = {"table": "cases", "column": "sealed_body", "row": "r1"}
names = st.text(max_size=20)


@given(value=st.binary(max_size=5000), table=names, column=names, row=names)
def test_what_is_closed_opens_in_its_place(value: bytes, table: str, column: str, row: str) -> None:
    seal = Seal(KEYS)
    assert (
        seal.open(seal.close(value, table=table, column=column, row=row), table=table, column=column, row=row) == value
    )


@pytest.mark.parametrize(
    "elsewhere",
    [
        pytest.param({"table": "holdings"}, id="in another table"),
        pytest.param({"column": "sealed_kept"}, id="in another column"),
        pytest.param({"row": "r2"}, id="in another row"),
        pytest.param({"table": "casess", "column": "ealed_body"}, id="in a place that joins to the same text"),
    ],
)
def test_a_moved_value_does_not_open(elsewhere: dict[str, str]) -> None:
    seal = Seal(KEYS)
    with pytest.raises(Misconfigured, match="does not open"):
        seal.open(seal.close(b"secret", **PLACE), **{**PLACE, **elsewhere})


@given(data=st.data())
def test_a_value_changed_in_any_byte_does_not_open(data: st.DataObject) -> None:
    seal = Seal(KEYS)
    blob = bytearray(seal.close(b"what the family said", **PLACE))
    at = data.draw(st.integers(0, len(blob) - 1))
    blob[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Misconfigured):
        seal.open(bytes(blob), **PLACE)


@given(length=st.integers(0, 96))
def test_a_value_cut_short_does_not_open(length: int) -> None:
    seal = Seal(KEYS)
    with pytest.raises(Misconfigured):
        seal.open(seal.close(b"what the family said", **PLACE)[:length], **PLACE)


def test_keys_of_another_instance_do_not_open() -> None:
    with pytest.raises(Misconfigured, match="key file does not hold"):
        Seal(Keys.generate()).open(Seal(KEYS).close(b"secret", **PLACE), **PLACE)


def test_a_key_of_the_same_id_and_another_secret_does_not_open() -> None:
    impostor = Keys(KEYS.root, ((KEYS.sealing[0][0], Keys.generate().sealing[0][1]),))
    with pytest.raises(Misconfigured, match="does not open"):
        Seal(impostor).open(Seal(KEYS).close(b"secret", **PLACE), **PLACE)


def test_after_rotation_old_values_open_and_new_ones_need_the_new_key() -> None:
    rotated = KEYS.rotated()
    assert Seal(rotated).open(Seal(KEYS).close(b"old", **PLACE), **PLACE) == b"old"
    with pytest.raises(Misconfigured):
        Seal(KEYS).open(Seal(rotated).close(b"new", **PLACE), **PLACE)


def test_rotation_changes_no_index_and_no_derived_secret() -> None:
    rotated = KEYS.rotated()
    assert Seal(rotated).index("cases.number", "C-1") == Seal(KEYS).index("cases.number", "C-1")
    assert rotated.derive("identity") == KEYS.derive("identity")


def test_derived_secrets_differ_by_label_and_by_instance() -> None:
    secrets = {KEYS.derive("identity"), KEYS.derive("index"), Keys.generate().derive("identity")}
    assert len(secrets) == 3
    assert {len(secret) for secret in secrets} == {32}


def test_equal_values_seal_differently_and_index_equally() -> None:
    seal = Seal(KEYS)
    assert seal.close(b"same", **PLACE) != seal.close(b"same", **PLACE)
    assert seal.index("label", "same") == seal.index("label", "same")


@given(one=st.tuples(names, names), other=st.tuples(names, names))
def test_an_index_is_the_same_only_for_the_same_label_and_value(one: tuple[str, str], other: tuple[str, str]) -> None:
    seal = Seal(KEYS)
    assert (seal.index(*one) == seal.index(*other)) == (one == other)


@given(turns=st.integers(0, 3))
def test_a_key_file_reads_back_as_it_was(turns: int) -> None:
    keys = Keys.generate()
    for _ in range(turns):
        keys = keys.rotated()
    assert Keys.parse(keys.text()) == keys


SECRET = KEYS.text().split()[-1]
ROOT = f"root {SECRET}"
KEY = f"key 0011223344556677 {SECRET}"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param(ROOT, id="no key"),
        pytest.param(KEY, id="no root"),
        pytest.param(f"{ROOT}\n{ROOT}\n{KEY}", id="two roots"),
        pytest.param(f"{ROOT}\n{KEY}\n{KEY}", id="one id twice"),
        pytest.param(f"{ROOT}\n{KEY} more", id="something more on a line"),
        pytest.param(f"{ROOT[:-4]}\n{KEY}", id="a root cut short"),
        pytest.param(f"{ROOT}\nkey 00112233 {SECRET}", id="a short id"),
        pytest.param(f"{ROOT}\nkey zz11223344556677 {SECRET}", id="an id that is not hexadecimal"),
        pytest.param(f"{ROOT}\nkey 0011223344556677 é{SECRET[1:]}", id="a secret that is not base64"),
        pytest.param(SECRET, id="a secret alone"),
    ],
)
def test_a_wrong_key_file_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        Keys.parse(text)
    assert SECRET[4:-4] not in f"{refused.value!r} {refused.value}"


def test_keys_do_not_show_in_their_representation() -> None:
    assert KEYS.root.hex() not in repr(KEYS)
    assert repr(KEYS) == "Keys()"
