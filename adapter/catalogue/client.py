"""Reads how a partner's own system shows itself to our token endpoint: the table [client] of its file."""

from __future__ import annotations

import base64
import binascii
import json
from pathlib import Path
from typing import Any

from adapter.core.partner import Client
from adapter.core.toml_form import Form
from adapter.core.toml_values import WrongError, matching

_id = matching(r"[\x21-\x7e]{1,200}", "must be the name under which its system shows itself, without spaces")
_file = matching(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\.json", "must be the name of a .json file beside this one")
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_LARGEST = 100_000
_LEAST_RSA_BYTES = 256


def client(form: Form, folder: Path) -> Client:
    """What the table says; a finding where the file of keys is missing, is none, or holds what must stay at home."""
    name = form.take("id", _id, "")
    keys = form.take("keys", lambda value: _keys(_file(value), folder), "")
    if form.has("id") != form.has("keys"):
        form.wrong(f"{'keys' if form.has('id') else 'id'}: is missing; a system is known by its id and its public keys")
    form.close()
    return Client(name, keys)


def _keys(name: str, folder: Path) -> str:
    try:
        text = (folder / name).read_text(encoding="utf-8-sig")  # some editors put a byte order mark before it
    except (OSError, UnicodeDecodeError):
        raise WrongError(f"names {name}, which cannot be read beside this file") from None
    try:
        found = json.loads(text) if len(text) <= _LARGEST else None
    except (ValueError, RecursionError):
        found = None
    keys = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(keys, list) or not keys or not all(isinstance(key, dict) for key in keys):
        raise WrongError(f'names {name}, which is no JWK Set ({{"keys": [...]}})')
    if any(_PRIVATE & key.keys() for key in keys):
        raise WrongError(
            f"names {name}, which holds a private key: the partner must make a new one, and give its public part"
        )
    if not all(_fits(key) for key in keys):
        raise WrongError(f"names {name}, of which a key is neither EC P-384 nor RSA of 2048 bits or more")
    return json.dumps({"keys": keys}, sort_keys=True)


def _fits(key: dict[str, Any]) -> bool:
    match key.get("kty"):
        case "EC":
            return key.get("crv") == "P-384" and len(_bytes(key.get("x"))) == len(_bytes(key.get("y"))) == 48
        case "RSA":
            return len(_bytes(key.get("n")).lstrip(b"\0")) >= _LEAST_RSA_BYTES and bool(_bytes(key.get("e")))
    return False


def _bytes(value: Any) -> bytes:
    try:
        return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)) if isinstance(value, str) else b""
    except (binascii.Error, ValueError):
        return b""
