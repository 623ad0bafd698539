"""Reads how a partner is shown who asks: the table [authorisation] of its file."""

from __future__ import annotations

from typing import Any, Literal, cast

from adapter.core.partner import Authorisation
from adapter.core.toml_form import Form
from adapter.core.toml_values import WrongError, matching, one_of, text, variable, web_address

Kind = Literal["none", "bearer", "client-secret", "smart-backend", "mtls", "ssh-key", "password"]

NEEDS: dict[str, dict[str, str]] = {
    "none": {},
    "bearer": {"secret": "bearer needs the name of the environment variable that holds the token"},
    "client-secret": {
        "secret": "client-secret needs the name of the environment variable that holds the client's secret",
        "client_id": "client-secret needs the name under which the partner knows this adapter",
    },
    "smart-backend": {
        "client_id": "smart-backend needs the name under which the partner knows this adapter",
        "scopes": 'smart-backend needs what is asked for, such as ["system/CarePlan.cruds"]',
    },
    "ssh-key": {"secret": "ssh-key needs the name of the environment variable that holds our private key"},
    "password": {"secret": "password needs the name of the environment variable that holds it"},
    "mtls": {"certificate": "mtls needs the name of the environment variable that holds our certificate and its key"},
}
"""Each kind, with the keys that it cannot do without and why."""

_MAY_HAVE = {
    "client-secret": {"token_url", "scopes", "client_authentication"},
    "smart-backend": {"token_url", "algorithm", "key"},
}
_KEYS = ("secret", "client_id", "scopes", "token_url", "client_authentication", "algorithm", "key")
_key = matching(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", "must be the name of a key of `adapter key list`")
_scope = matching(r"[\x21\x23-\x5b\x5d-\x7e]{1,200}", "")  # RFC 6749, 3.3


def authorisation(form: Form) -> Authorisation:
    """What the table says; findings where a kind lacks a key that it needs, or has one that is of no use to it."""
    kind = cast(Kind, form.take("kind", one_of(*NEEDS), "none"))
    found = Authorisation(
        kind,
        secret=form.take("secret", variable, ""),
        certificate=form.take("certificate", variable, ""),
        token_url=form.take("token_url", _token_url, ""),
        client_id=form.take("client_id", text, ""),
        scopes=form.take("scopes", _scopes, ()),
        client_authentication=cast(
            Literal["basic", "form"], form.take("client_authentication", one_of("basic", "form"), "basic")
        ),
        algorithm=cast(Literal["ES384", "RS384"], form.take("algorithm", one_of("ES384", "RS384"), "ES384")),
        key=form.take("key", _key, ""),
    )
    for key, why in NEEDS[kind].items():
        if not form.has(key):
            form.wrong(f"{key}: is missing; {why}")
    for key in _KEYS:
        if form.has(key) and key not in NEEDS[kind] and key not in _MAY_HAVE.get(kind, ()):
            form.wrong(f'{key}: is of no use while kind is "{kind}"', key)
    form.close()
    return found


def _token_url(value: Any) -> str:
    return web_address(value, "must be an https address, such as https://login.partner.example.ca/oauth2/token")


def _scopes(value: Any) -> tuple[str, ...]:
    wrong = 'must be a list of one or more scopes, such as ["system/CarePlan.cruds", "system/Goal.cruds"]'
    if not isinstance(value, list) or not value:
        raise WrongError(wrong)
    try:
        found = tuple(_scope(each) for each in value)
    except WrongError:
        raise WrongError(wrong) from None
    if len(set(found)) != len(found):
        raise WrongError("names one of them twice")
    return found
