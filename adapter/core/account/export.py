"""The account as a file that others can verify with the public key alone: signed heads, then the lines that they hold.

A file is JSON Lines in UTF-8. Its first line is the heads of all accounts as they were at one time, signed:

    {"agency": …, "at": date-time, "format": "csp-account/1", "heads": {CHAIN: [last seq, hash], …},
     "lists": [CHAIN, …], "signature": base64url}

The signature is Ed25519 (RFC 8032) over `csp-account/1`, a line feed, and the object without `signature` as JSON with
its keys sorted, no spaces, UTF-8. Each further line is one line of an account, in order; the accounts in `lists` are
there whole:

    {"chain": CHAIN, "hash": hex, "line": {…}, "previous": hex, "salt": hex, "seq": 1, 2, …}

chain.py says what is hashed. A file of signed heads alone (`adapter disclosures sign`) is one such first line a day.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from adapter.core.account.chain import content_hash, link, origin
from adapter.core.strict_json import canonical, load, parse
from adapter.errors import AdapterError, Malformed

FORMAT = "csp-account/1"
MOST_BYTES = 200_000_000
"""Of one line: the heads of a million cases."""
_NOT_SIGNED = "The signature is not one of this key: the heads were changed, or another agency's keys signed them."


@dataclass(frozen=True, slots=True)
class Heads:
    """The last line (number, hash) of every account at one time; `lists`: whose lines follow in the same file."""

    agency: str
    at: datetime
    heads: Mapping[str, tuple[int, str]]
    lists: tuple[str, ...] = ()


def signed(heads: Heads, sign: Callable[[bytes], bytes]) -> bytes:
    """The first line of a file, or one day's line of a file of signed heads; without a line end."""
    said = {
        "format": FORMAT,
        "agency": heads.agency,
        "at": heads.at.astimezone(UTC).isoformat(),
        "heads": {chain: list(head) for chain, head in heads.heads.items()},
        "lists": sorted(heads.lists),
    }
    signature = base64.urlsafe_b64encode(sign(_message(said))).decode()
    return canonical({**said, "signature": signature})


def listed(chain: str, *, seq: int, previous: str, hash_: str, salt: bytes, content: bytes) -> bytes:
    """One line of an account as it stands in a file."""
    line = {"chain": chain, "seq": seq, "previous": previous, "hash": hash_, "salt": salt.hex(), "line": load(content)}
    return canonical(line)


def verify_export(lines: Iterable[bytes], public_key: bytes) -> list[str]:
    """What is wrong with an exported file, in sentences; empty: every line of the accounts that it lists is there, in
    order, unchanged, up to the head that was signed. `public_key`: PEM. Malformed: it is no Ed25519 key."""
    key, waiting = _key(public_key), iter(lines)
    try:
        heads = _heads(next(waiting, b""), key)
    except AdapterError as wrong:
        return [f"Line 1 of the file: {wrong.detail}"]
    reached: dict[str, tuple[int, str]] = {chain: (0, origin(chain)) for chain in heads.lists}
    found = []
    for number, raw in enumerate(waiting, 2):
        if raw.strip():
            found += [f"Line {number} of the file: {sentence}" for sentence in _follow(raw, reached)]
    for chain, (seq, hash_) in reached.items():
        if chain not in heads.heads:
            if seq:
                found.append(f"Account {chain}: its lines are here, but no head of it was signed.")
        elif heads.heads[chain][0] != seq:
            found.append(f"Account {chain}: it ends at line {seq}, but line {heads.heads[chain][0]} was signed.")
        elif heads.heads[chain][1] != hash_:
            found.append(f"Account {chain}: its last line is not the one that was signed.")
    return found


def statements(lines: Iterable[bytes], public_key: bytes) -> Iterator[Heads | str]:
    """Every signed heads of a file (an export, or a file of heads), or a sentence where one cannot be trusted."""
    key = _key(public_key)
    for number, raw in enumerate(lines, 1):
        if not raw.strip() or (number > 1 and raw.startswith(b'{"chain":')):
            continue
        try:
            yield _heads(raw, key)
        except AdapterError as wrong:
            yield f"Line {number} of the file: {wrong.detail}"


def _follow(raw: bytes, reached: dict[str, tuple[int, str]]) -> Iterator[str]:
    """What is wrong with one line, given how far its account is; goes on behind it either way."""
    try:
        said = parse(raw, max_bytes=MOST_BYTES)
        chain, seq, hash_ = said["chain"], said["seq"], said["hash"]
        content = content_hash(bytes.fromhex(said["salt"]), canonical(said["line"]))
        last, before = reached[chain]
        expected = link(said["previous"], seq, content)
    except (AdapterError, KeyError, TypeError, ValueError):
        yield "it is no line of an account that this file lists."
        return
    if seq != last + 1:
        yield f"it is line {_number(seq)} of its account, behind line {last}."
    if said["previous"] != before:
        yield "it does not follow the line before it."
    if hash_ != expected:
        yield "it was changed: its hash is another one."
    if isinstance(seq, int):
        reached[chain] = (seq, str(hash_))


def _number(value: Any) -> str:
    return str(value) if isinstance(value, int) else "?"


def _heads(raw: bytes, key: Ed25519PublicKey) -> Heads:
    said = parse(raw, max_bytes=MOST_BYTES)
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        raise Malformed(f"It does not hold signed heads ({FORMAT}).")
    try:
        signature = base64.urlsafe_b64decode(said.pop("signature"))
        key.verify(signature, _message(said))
    except (InvalidSignature, KeyError, TypeError, ValueError, binascii.Error):
        raise Malformed(_NOT_SIGNED) from None
    return Heads(
        said["agency"],
        datetime.fromisoformat(said["at"]),
        {chain: (head[0], head[1]) for chain, head in said["heads"].items()},
        tuple(said["lists"]),
    )


def _message(said: Mapping[str, Any]) -> bytes:
    return FORMAT.encode() + b"\n" + canonical(said)


def _key(public_key: bytes) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(public_key)
    except ValueError:
        raise Malformed("The public key cannot be read: an Ed25519 key in PEM is expected.") from None
    if not isinstance(key, Ed25519PublicKey):
        raise Malformed("The public key is not an Ed25519 key.")
    return key
