"""An exported account is verified with the public key alone, and shows every way in which it was changed."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from hypothesis import given
from hypothesis import strategies as st

from adapter.core.account import export
from adapter.core.account.chain import Line, read, written
from adapter.errors import Malformed
from tests.core.account.story import CHAIN, START, entries, line, look, salt, story, told

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
OTHER = "0a" * 16


def pem(key: Any) -> bytes:
    made: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return made


def exported(lines: list[Line] | None = None, chains: tuple[str, ...] = (CHAIN, OTHER)) -> list[bytes]:
    """The file of two accounts, as a list of lines."""
    accounts = {chain: entries(lines or story(), chain) for chain in chains}
    heads = {chain: (found[-1].seq, found[-1].hash) for chain, found in accounts.items()}
    first = export.signed(export.Heads("Maple Valley", START, heads, chains), KEY.sign)
    return [first, *(_listed(chain, each) for chain, found in accounts.items() for each in found)]


def _listed(chain: str, entry: Any) -> bytes:
    content, own = written(entry.line), salt(entry.seq)
    return export.listed(chain, seq=entry.seq, previous=entry.previous, hash_=entry.hash, salt=own, content=content)


@given(
    st.lists(
        st.builds(
            line,
            purpose=st.text(max_size=9),
            parts=st.lists(st.text(max_size=5)).map(tuple),
            basis=st.text(max_size=9),
            happened=st.none() | st.just(START),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_whatever_lines_say_they_are_verified_as_exported(lines: list[Line]) -> None:
    """Control characters, accents and symbols too: what was hashed is what a reader hashes again."""
    assert export.verify_export(exported(lines), pem(KEY)) == []
    assert [read(written(each)) for each in lines] == lines


def test_somebody_else_verifies_it_by_the_documented_format_alone() -> None:
    """Written anew from the words of export.py and chain.py, with json, hashlib and the public key, nothing of ours."""
    first, *rest = (json.loads(raw) for raw in exported())

    def plain(value: Any) -> bytes:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    public = load_pem_public_key(pem(KEY))
    signature = base64.urlsafe_b64decode(first.pop("signature"))
    public.verify(signature, b"csp-account/1\n" + plain(first))  # type: ignore[union-attr, call-arg]
    for chain in first["lists"]:
        previous = hashlib.sha256(f"disclosures of case {chain}".encode()).hexdigest()
        own = [each for each in rest if each["chain"] == chain]
        for seq, each in enumerate(own, 1):
            content = hashlib.sha256(bytes.fromhex(each["salt"]) + plain(each["line"])).hexdigest()
            previous = hashlib.sha256(f"{previous}\n{seq}\n{content}".encode()).hexdigest()
            assert (each["seq"], each["hash"]) == (seq, previous)
        assert first["heads"][chain] == [len(own), previous]


def test_a_line_without_what_people_enter_is_written_as_it_always_was() -> None:
    """So that chains of earlier versions hold: no new key stands in a line that has no use for it."""
    assert set(json.loads(written(line()))) == {
        "about", "at", "consents", "kind", "operation", "outcome", "partner", "parts", "purpose", "request_id",
        "resource_type", "topics", "urn",
    }  # fmt: skip
    assert {"role", "by", "to", "basis", "happened"} <= set(json.loads(written(told())))


def edited(raw: bytes, **changes: Any) -> bytes:
    said = json.loads(raw)
    said["line"] |= changes
    return json.dumps(said).encode()


def resigned(raw: bytes, **changes: Any) -> bytes:
    """Changed, under the old signature."""
    return json.dumps({**json.loads(raw), **changes}).encode()


def rewritten(file: list[bytes]) -> list[bytes]:
    """By somebody who knows the format and makes every hash anew, but cannot sign."""
    lines = story()
    lines[4] = line(kind="failed", outcome="rejected")
    return [file[0], *exported(lines)[1:]]


WAYS: dict[str, tuple[Callable[[list[bytes]], list[bytes]], str]] = {
    "a line was edited": (
        lambda f: [*f[:5], edited(f[5], partner="clinic"), *f[6:]],
        "Line 6 of the file: it was changed",
    ),
    "a line was removed from the middle": (lambda f: f[:5] + f[6:], "Line 6 of the file: it is line 6 of its account"),
    "the first line was removed": (
        lambda f: f[:1] + f[2:],
        "Line 2 of the file: it is line 2 of its account, behind line 0",
    ),
    "the tail was cut off": (lambda f: f[:-2], f"Account {OTHER}: it ends at line 18, but line 20 was signed"),
    "a whole account was cut out": (lambda f: f[:21], f"Account {OTHER}: it ends at line 0, but line 20 was signed"),
    "two lines changed places": (lambda f: [*f[:3], f[4], f[3], *f[5:]], "it does not follow the line before it"),
    "a line stands twice": (lambda f: [*f[:4], f[3], *f[4:]], "Line 5 of the file: it is line 3 of its account"),
    "a line was replaced by another case's": (lambda f: [*f[:3], f[23], *f[4:]], "Line 4 of the file: it is line 3"),
    "all lines were made anew": (rewritten, "its last line is not the one that was signed"),
    "the heads were edited": (
        lambda f: [resigned(f[0], at="2026-10-02T15:00:00+00:00"), *f[1:]],
        "Line 1 of the file: The signature",
    ),
    "an account was taken off the list": (
        lambda f: [resigned(f[0], lists=[CHAIN]), *f[1:21]],
        "Line 1 of the file: The signature",
    ),
    "the signature was removed": (
        lambda f: [resigned(f[0], signature=None), *f[1:]],
        "Line 1 of the file: The signature",
    ),
    "the heads are missing": (lambda f: f[1:], "Line 1 of the file: It does not hold signed heads"),
    "nothing is there": (lambda _: [], "Line 1 of the file: The body is empty"),
    "a line is no JSON": (lambda f: [*f[:5], b"{", *f[6:]], "Line 6 of the file: it is no line of an account"),
    "a line of an account that is not listed": (
        lambda f: [*f, f[5].replace(CHAIN.encode(), b"ff" * 16)],
        "Line 42 of the file: it is no line of an account that this file lists",
    ),
    "a line is a number": (lambda f: [*f[:5], b"7", *f[6:]], "Line 6 of the file: it is no line of an account"),
}


@pytest.mark.parametrize(("change", "sentence"), WAYS.values(), ids=WAYS)
def test_a_changed_file_shows(change: Callable[[list[bytes]], list[bytes]], sentence: str) -> None:
    file = exported()
    assert len(file) == 41
    assert export.verify_export(file, pem(KEY)) == []
    assert [found for found in export.verify_export(change(file), pem(KEY)) if sentence in found]


def test_another_agency_s_key_does_not_verify_it() -> None:
    other = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
    assert "another agency's keys" in export.verify_export(exported(), pem(other))[0]


@pytest.mark.parametrize(
    "key", [b"", b"not a key", pem(generate_private_key(65537, 2048))], ids=["none", "text", "RSA"]
)
def test_what_is_no_key_of_this_kind_is_refused(key: bytes) -> None:
    with pytest.raises(Malformed, match="public key"):
        export.verify_export(exported(), key)


def test_no_sentence_says_what_stands_in_a_line() -> None:
    """A fault is named by its place in the file, so that a report of faults can be passed on."""
    for change, _ in WAYS.values():
        found = " ".join(export.verify_export(change(exported([told(), look(), told()] * 7)), pem(KEY)))
        assert not [word for word in ("Osei", "Harbour", "CYFSA", "Dana") if word in found]


def test_signed_heads_are_read_from_a_file_of_days_and_from_an_export() -> None:
    day = export.signed(export.Heads("Maple Valley", START, {CHAIN: (2, "ab")}), KEY.sign)
    found = list(export.statements([day, b"", resigned(day, heads={})], pem(KEY)))
    assert found[0] == export.Heads("Maple Valley", START, {CHAIN: (2, "ab")})
    assert found[1].startswith("Line 3 of the file: The signature")  # type: ignore[union-attr]
    (heads,) = export.statements(exported(), pem(KEY))
    assert isinstance(heads, export.Heads)
    assert heads.lists == (OTHER, CHAIN)
