"""Where partners' systems get their tokens, and where they read how (SMART App Launch)."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from adapter.admission import ALGORITHMS
from adapter.core.scopes import EVERYTHING
from adapter.receive.granting import Granted, Refused, grant
from adapter.web.context import address, wiring

smart = Blueprint("smart", __name__)


@smart.get("/fhir/.well-known/smart-configuration")
def configuration() -> Response:
    """Where tokens are given out, and how one shows who one is."""
    return jsonify(
        {
            "token_endpoint": _endpoint(),
            "grant_types_supported": ["client_credentials"],
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
            "scopes_supported": [EVERYTHING, "system/*.rs"],
            "capabilities": ["client-confidential-asymmetric", "permission-v1", "permission-v2"],
        }
    )


@smart.post("/token")
def token() -> Response:
    """A token for minutes, for whoever shows a statement that it signed (SMART Backend Services)."""
    match grant(wiring(), request.form, audience=_endpoint()):
        case Granted(text, scope, seconds):
            return jsonify({"access_token": text, "token_type": "bearer", "expires_in": seconds, "scope": scope})
        case Refused(error):
            response = jsonify({"error": error})
            response.status_code = 401 if error == "invalid_client" else 400
            return response


def _endpoint() -> str:
    return f"{address()}/token"
