"""A partner's own system gets a token for a statement that it signed: for what it asks, for minutes, once."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey

from adapter.catalogue.files import Found
from adapter.catalogue.partners import read_partners
from adapter.core.partner import Client
from adapter.receive.granting import ASSERTION
from adapter.store import tokens
from adapter.web.app import create_app
from adapter.web.context import KEY
from tests.web.conftest import Web
from tests.web.test_fhir import goal

EC = ECKey.generate_key("P-384", {"kid": "one"}, private=True)
RSA = RSAKey.generate_key(2048, {"kid": "two"}, private=True)
OTHER = ECKey.generate_key("P-384", {"kid": "one"}, private=True)
KEYS = json.dumps(KeySet([EC, RSA]).as_dict(private=False))
AUDIENCE = "http://localhost/token"
HOSTILE = "https://elsewhere.example/keys"


@pytest.fixture
def smart(web: Web) -> Web:
    """The web of an instance to which the school's system is known."""
    desk = web.app.extensions[KEY]
    lakeside = replace(desk.catalogue.partners["lakeside"], client=Client("school-system", KEYS))
    partners = {**desk.catalogue.partners, "lakeside": lakeside}
    return replace(web, app=create_app(replace(desk, catalogue=replace(desk.catalogue, partners=partners))))


def claims(**other: Any) -> dict[str, Any]:
    now = datetime.now(UTC).timestamp()
    made = {
        "iss": "school-system",
        "sub": "school-system",
        "aud": AUDIENCE,
        "exp": now + 200,
        "jti": secrets.token_hex(),
    }
    return {name: value for name, value in {**made, **other}.items() if value is not None}


def signed(key: Any = EC, algorithm: str = "ES384", header: Mapping[str, Any] | None = None, **other: Any) -> str:
    named = {"alg": algorithm, "typ": "JWT", **({"kid": key.kid} if key.kid else {}), **(header or {})}
    return jwt.encode(named, claims(**other), key, algorithms=[algorithm])


def asked(web: Web, assertion: str, scope: str = "system/*.cruds", **other: str) -> Any:
    form = {"grant_type": "client_credentials", "scope": scope, "client_assertion": assertion}
    form |= {"client_assertion_type": ASSERTION, **other}
    return web.app.test_client().post("/token", data=form)


def ask(web: Web, token: str, method: str, path: str, body: Any = None) -> Any:
    sent = {"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"}
    data = None if body is None else json.dumps(body)
    return web.app.test_client().open(path, method=method, headers=sent, data=data)


@pytest.mark.parametrize(("key", "algorithm"), [(EC, "ES384"), (RSA, "RS384")], ids=["EC", "RSA"])
def test_who_signs_gets_a_token_that_opens_fhir(smart: Web, key: Any, algorithm: str) -> None:
    answer = asked(smart, signed(key, algorithm))
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    given = answer.get_json()
    assert (given["token_type"], given["expires_in"], given["scope"]) == ("bearer", 300, "system/*.cruds")
    made = ask(smart, given["access_token"], "POST", "/fhir/Patient", {"resourceType": "Patient"})
    assert made.status_code == 201
    assert smart.ask("lakeside", "GET", f"/fhir/Patient/{made.get_json()['id']}").status_code == 200
    assert ask(smart, given["access_token"], "GET", "/api/cases").status_code == 403


REFUSED: dict[str, Any] = {
    "signed with another key": lambda: signed(OTHER),
    "with a symmetric algorithm": lambda: signed(OctKey.import_key("secret" * 8), "HS256"),
    "with no algorithm": lambda: "eyJhbGciOiJub25lIn0." + signed().split(".")[1] + ".",
    "that names keys elsewhere": lambda: signed(OTHER, header={"jku": HOSTILE}),
    "that brings its own key": lambda: signed(OTHER, header={"jwk": OTHER.as_dict(private=False)}),
    "for another audience": lambda: signed(aud="https://elsewhere.example/token"),
    "for the base address only": lambda: signed(aud="http://localhost/fhir"),
    "of another client": lambda: signed(iss="clinic-system"),
    "of one for another": lambda: signed(sub="clinic-system"),
    "that has ended": lambda: signed(exp=(datetime.now(UTC) - timedelta(minutes=2)).timestamp()),
    "that ends too late": lambda: signed(exp=(datetime.now(UTC) + timedelta(minutes=9)).timestamp()),
    "without an end": lambda: signed(exp=None),
    "with an end that is no number": lambda: signed(exp="soon"),
    "with an end beyond all time": lambda: signed(exp=1e300),
    "that begins later": lambda: signed(nbf=(datetime.now(UTC) + timedelta(minutes=4)).timestamp()),
    "without a number": lambda: signed(jti=None),
    "with a number that is too long": lambda: signed(jti="x" * 300),
    "that is no statement": lambda: "x.y.z",
    "that is nothing": lambda: "",
    "that is huge": lambda: signed(more="x" * 100_000),
}


@pytest.mark.parametrize("make", REFUSED.values(), ids=REFUSED)
def test_a_statement_is_refused(smart: Web, make: Any) -> None:
    answer = asked(smart, make())
    assert (answer.status_code, answer.get_json()) == (401, {"error": "invalid_client"})


def test_a_statement_is_good_once(smart: Web) -> None:
    statement = signed()
    assert asked(smart, statement).status_code == 200
    assert asked(smart, statement).get_json() == {"error": "invalid_client"}


def test_what_is_no_request_for_a_token_is_told_in_a_word(smart: Web) -> None:
    assert asked(smart, signed(), grant_type="password").get_json() == {"error": "unsupported_grant_type"}
    assert smart.app.test_client().post("/token").get_json() == {"error": "invalid_request"}
    assert asked(smart, signed(), scope="patient/Goal.read launch").get_json() == {"error": "invalid_scope"}
    assert asked(smart, signed(), client_assertion_type="x").get_json() == {"error": "invalid_client"}


def test_a_token_permits_what_was_asked_for_and_nothing_else(smart: Web) -> None:
    patient = smart.ask("lakeside", "POST", "/fhir/Patient", {"resourceType": "Patient"}).get_json()["id"]
    made = smart.ask("lakeside", "POST", "/fhir/Goal", goal(f"Patient/{patient}")).get_json()["id"]
    given = asked(smart, signed(), scope="system/Goal.rs launch system/Nothing.rs system/Patient.r").get_json()
    assert given["scope"] == "system/Goal.rs system/Patient.r"
    token = given["access_token"]
    batch = {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [{"request": {"method": "DELETE", "url": f"Goal/{made}"}}],
    }
    assert ask(smart, token, "GET", f"/fhir/Goal/{made}").status_code == 200
    assert (
        ask(smart, token, "GET", "/fhir/Goal?_include=Goal:subject").get_json()["entry"][1]["search"]["mode"]
        == "include"
    )
    assert ask(smart, token, "GET", f"/fhir/Patient/{patient}").status_code == 200
    assert ask(smart, token, "GET", "/fhir/Patient").status_code == 403
    assert ask(smart, token, "DELETE", f"/fhir/Goal/{made}").status_code == 403
    assert ask(smart, token, "POST", "/fhir/Goal", goal(f"Patient/{patient}")).status_code == 403
    assert ask(smart, token, "POST", "/fhir", batch).get_json()["entry"][0]["response"]["status"] == "403"
    assert ask(smart, token, "POST", "/fhir", {**batch, "type": "transaction"}).status_code == 403
    narrow = asked(smart, signed(), scope="system/Goal.s").get_json()["access_token"]
    assert len(ask(smart, narrow, "GET", "/fhir/Goal?_include=Goal:subject").get_json()["entry"]) == 1


def test_a_token_ends_by_itself_and_is_forgotten(smart: Web) -> None:
    token = asked(smart, signed()).get_json()["access_token"]
    later = datetime.now(UTC) + timedelta(minutes=6)
    with smart.store.writing() as tx:
        assert tokens.find(tx, token, now=datetime.now(UTC)) is not None
        assert tokens.find(tx, token, now=later) is None
        before = len(tokens.listed(tx))
        tokens.lend(tx, partner="lakeside", scopes="", until=later + timedelta(minutes=5), now=later)
        assert tokens.find(tx, token, now=datetime.now(UTC)) is None
        assert len(tokens.listed(tx)) == before


def test_it_is_told_where_tokens_are(smart: Web) -> None:
    told = smart.ask(None, "GET", "/fhir/.well-known/smart-configuration").get_json()
    assert told["token_endpoint"] == AUDIENCE
    assert told["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]


FILES: dict[str, tuple[str, str, str]] = {
    "good": ('id = "school-system"\nkeys = "lakeside.keys.json"', KEYS, ""),
    "without keys": ('id = "school-system"', KEYS, "keys: is missing"),
    "without an id": ('keys = "lakeside.keys.json"', KEYS, "id: is missing"),
    "a file elsewhere": ('id = "s"\nkeys = "../lakeside.keys.json"', KEYS, "must be the name of a .json file"),
    "no such file": ('id = "s"\nkeys = "none.json"', KEYS, "cannot be read"),
    "no key set": ('id = "s"\nkeys = "lakeside.keys.json"', "[]", "no JWK Set"),
    "a private key": (
        'id = "s"\nkeys = "lakeside.keys.json"',
        json.dumps(KeySet([EC]).as_dict(private=True)),
        "private key",
    ),
    "a weak key": (
        'id = "s"\nkeys = "lakeside.keys.json"',
        '{"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}]}',
        "2048",
    ),
}


@pytest.mark.parametrize(("table", "keys", "wrong"), FILES.values(), ids=FILES)
def test_a_partner_file_says_how_its_system_shows_itself(tmp_path: Path, table: str, keys: str, wrong: str) -> None:
    here = Path(__file__).parents[2] / "fixtures" / "partners" / "lakeside.toml"
    (tmp_path / "lakeside.toml").write_text(f"{here.read_text('utf-8')}\n[client]\n{table}\n", encoding="utf-8")
    (tmp_path / "lakeside.keys.json").write_text(keys, encoding="utf-8")
    found = Found()
    partners = read_partners(tmp_path, found, sectors={"education"}, identifier_types=set(), dialects={"generic"})
    told = [f"{each.line}: {each.detail}" for each in found.errors]
    assert (len(told), not wrong or wrong in told[0]) == (1 if wrong else 0, True)
    assert all(each.line > 0 for each in found.errors)
    assert (partners["lakeside"].client.keys != "") == (not wrong or wrong.startswith("id"))
