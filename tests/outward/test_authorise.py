"""How a partner is shown who asks: against a token endpoint that verifies, on real sockets."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapter.core.partner import Authorisation, Partner
from adapter.errors import Misconfigured
from adapter.outward.answer import Answered, NotSent
from adapter.outward.authorise import LONGEST, Tokens
from adapter.outward.server import Server
from adapter.outward.signing import SigningKeys
from tests.outward import fault_server as faults
from tests.outward.fault_server import FaultServer
from tests.outward.token_server import CLIENT, PASSWORD, Guarded

SCOPES = ("system/CarePlan.cruds", "system/Goal.cruds")
NOW = datetime(2026, 11, 27, tzinfo=UTC)
TOKEN_JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="session")
def keys() -> SigningKeys:
    """One of each algorithm; making the RSA key takes a moment."""
    return SigningKeys().with_new("es", "ES384", NOW).with_new("rs", "RS384", NOW)


@pytest.fixture
def partner(keys: SigningKeys) -> Iterator[FaultServer]:
    with FaultServer() as server:
        server.fhir = Guarded(lambda: f"{server.base_url}/token", keys.public)
        yield server


def smart(partner: FaultServer, **changed: Any) -> Partner:
    asked = Authorisation("smart-backend", client_id=CLIENT, scopes=SCOPES, token_url=f"{partner.base_url}/token")
    return replace(partner.as_partner(), authorisation=replace(asked, **changed))


def with_secret(partner: FaultServer, **changed: Any) -> Partner:
    asked = Authorisation("client-secret", "SECRET", client_id=CLIENT, token_url=f"{partner.base_url}/token")
    return replace(partner.as_partner(), authorisation=replace(asked, **changed))


def guarded(partner: FaultServer) -> Guarded:
    assert isinstance(partner.fhir, Guarded)
    return partner.fhir


@pytest.mark.parametrize("algorithm", ["ES384", "RS384"])
def test_one_signed_assertion_opens_for_many_requests(partner: FaultServer, keys: SigningKeys, algorithm: str) -> None:
    """The endpoint verifies signature, claims and jti; its token serves until it ends."""
    server = Server(smart(partner, algorithm=algorithm), secret=None, signing=lambda: keys)
    for _ in range(3):
        answer = server.capability()
        assert isinstance(answer, Answered) and answer.status == 200, guarded(partner).said
    assert [form["scope"] for form in guarded(partner).asked] == [" ".join(SCOPES)]


def test_each_assertion_is_good_once(partner: FaultServer, keys: SigningKeys) -> None:
    """What was shown before is refused; ours never repeats: one assertion for each token."""
    server = Server(smart(partner), secret=None, signing=lambda: keys)
    for _ in range(5):
        guarded(partner).good.clear()
        assert isinstance(server.capability(), Answered)
    assert len(guarded(partner).seen) == len(guarded(partner).asked) == 5


@pytest.mark.parametrize("way", ["basic", "form"])
def test_a_secret_is_shown_as_the_endpoint_takes_it(partner: FaultServer, way: str) -> None:
    """In the header or in the form, encoded, whatever characters it holds; never in both."""
    server = Server(with_secret(partner, client_authentication=way), secret=PASSWORD)
    answer = server.capability()
    assert isinstance(answer, Answered) and answer.status == 200, guarded(partner).said


def test_the_token_endpoint_is_found_at_the_server(partner: FaultServer, keys: SigningKeys) -> None:
    server = Server(smart(partner, token_url=""), secret=None, signing=lambda: keys)
    for _ in range(2):
        answer = server.capability()
        assert isinstance(answer, Answered) and answer.status == 200
    paths = [seen.path for seen in partner.seen]
    assert paths == ["/fhir/.well-known/smart-configuration", "/fhir/token", "/fhir/metadata", "/fhir/metadata"]
    assert "authorization" not in partner.seen[0].headers


@pytest.mark.parametrize(
    ("named", "reason"),
    [
        pytest.param("http://127.0.0.1:{other}/fhir/token", "address not allowed", id="another port"),
        pytest.param("https://127.0.0.1:{port}/fhir/token", "address not allowed", id="another scheme"),
        pytest.param("http://localhost:{port}/fhir/token", "address not allowed", id="another name"),
        pytest.param("http://127.0.0.1.example.org/token", "address not allowed", id="a name that begins so"),
        pytest.param("http://127.0.0.1:{port}\\@localhost/token", "no token", id="a host behind a backslash"),
        pytest.param("http://127.0.0.1:{port}@localhost:{other}/token", "no token", id="the host as a user"),
        pytest.param("//127.0.0.1:{port}/token", "no token", id="no scheme"),
        pytest.param("file:///etc/passwd", "no token", id="a file"),
        pytest.param("http://127.0.0.1:{port}/to ken", "no token", id="a blank"),
    ],
)
def test_an_answer_leads_our_credentials_nowhere_else(
    partner: FaultServer, keys: SigningKeys, named: str, reason: str
) -> None:
    """Only an endpoint at the very same place may be found; another has to stand in the partner file."""
    with FaultServer() as elsewhere:
        guarded(partner).token_endpoint = named.format(port=partner.port, other=elsewhere.port)
        server = Server(smart(partner, token_url=""), secret=None, signing=lambda: keys)
        assert server.capability() == NotSent(reason)  # type: ignore[arg-type]
        assert (elsewhere.connections, guarded(partner).asked) == (0, [])
        stated = smart(partner, token_url=f"{elsewhere.base_url}/token")
        elsewhere.fhir = Guarded(lambda: f"{elsewhere.base_url}/token", keys.public)
        guarded(partner).good = elsewhere.fhir.good
        assert isinstance(Server(stated, secret=None, signing=lambda: keys).capability(), Answered)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_token_endpoint_that_redirects_gives_no_token(partner: FaultServer, status: int) -> None:
    with FaultServer() as elsewhere:
        partner.plan(faults.redirect(elsewhere.base_url + "/token", status))
        assert Server(with_secret(partner), secret=PASSWORD).capability() == NotSent("no token")
        assert (elsewhere.connections, len(partner.seen)) == (0, 1)


class TestRenewal:
    """Before its end, by one thread at a time, and once where it is refused."""

    def test_a_token_is_renewed_before_it_ends(self, partner: FaultServer, keys: SigningKeys) -> None:
        now = [0.0]
        tokens = Tokens(smart(partner), secret=None, signing=lambda: keys, clock=lambda: now[0])
        first = tokens.headers()
        now[0] = 269.9
        assert tokens.headers() == first
        now[0] = 270.0
        assert tokens.headers() != first
        assert len(guarded(partner).asked) == 2

    @pytest.mark.parametrize("works", [True, False], ids=["a token for all", "one refusal for all"])
    def test_many_threads_ask_once(self, partner: FaultServer, works: bool) -> None:
        """Who waits for another's request takes its answer, good or bad."""
        tokens = Tokens(with_secret(partner), secret=PASSWORD, signing=SigningKeys)
        partner.plan(faults.Late(0.4, applied=works))
        found: list[Any] = []
        threads = [threading.Thread(target=lambda: found.append(tokens.headers())) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(partner.seen) == 1
        assert len(found) == 8 and all(each == found[0] for each in found)
        assert (found[0] == NotSent("no token")) is not works

    @pytest.mark.parametrize(
        ("refusal", "tries"),
        [
            pytest.param((401, {}), 2, id="401"),
            pytest.param((403, {"WWW-Authenticate": 'Bearer realm="x", error="invalid_token"'}), 2, id="403, expired"),
            pytest.param((403, {"WWW-Authenticate": 'Bearer error="insufficient_scope"'}), 1, id="403, not permitted"),
            pytest.param((403, {}), 1, id="403 without a word"),
        ],
    )
    def test_a_refused_token_is_renewed_once(
        self, partner: FaultServer, refusal: tuple[int, dict[str, str]], tries: int
    ) -> None:
        """Asked again only where nothing was done, and once: a server that refuses each token is told as it is."""
        server = Server(with_secret(partner), secret=PASSWORD)
        assert isinstance(server.capability(), Answered)
        guarded(partner).refusal = refusal
        guarded(partner).good.clear()
        answer = server.transact(b'{"resourceType": "Bundle", "type": "transaction", "entry": []}', request_id="r-1")
        assert isinstance(answer, Answered)
        assert answer.status == (200 if tries == 2 else 403)
        asked = [seen for seen in partner.seen if seen.path == "/fhir"]
        assert len(asked) == tries
        assert len({seen.headers["authorization"] for seen in asked}) == tries
        assert {(seen.headers["x-request-id"], seen.body) for seen in asked} == {("r-1", asked[0].body)}

    def test_a_server_that_takes_no_token_is_asked_twice_and_no_more(self, partner: FaultServer) -> None:
        server = Server(with_secret(partner), secret=PASSWORD)
        answers = faults.Answer(401), faults.Answer(401)
        partner.plan(None, answers[0], None, answers[1])
        answer = server.capability()
        assert isinstance(answer, Answered) and answer.status == 401
        assert len(partner.seen) == 4

    def test_a_token_that_a_person_was_given_is_not_tried_twice(self, partner: FaultServer) -> None:
        answer = Server(partner.as_partner(bearer=True), secret="old").capability()
        assert isinstance(answer, Answered) and (answer.status, len(partner.seen)) == (401, 1)

    @pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503])
    def test_other_answers_are_not_asked_for_twice(self, partner: FaultServer, status: int) -> None:
        """It may have been done."""
        server = Server(with_secret(partner), secret=PASSWORD)
        partner.plan(None, faults.Answer(status))
        answer = server.transact(b"{}", request_id="r")
        assert isinstance(answer, Answered) and (answer.status, len(partner.seen)) == (status, 2)


def _answer(body: Any, status: int = 200, headers: dict[str, str] = TOKEN_JSON) -> faults.Answer:
    return faults.Answer(status, headers, body if isinstance(body, bytes) else json.dumps(body).encode())


GOOD = {"access_token": "abc", "token_type": "Bearer", "expires_in": 300}


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        pytest.param(_answer(b"[" * 100_000), NotSent("no token"), id="nested without end"),
        pytest.param(_answer(b'"' + b"a" * 70_000 + b'"'), NotSent("no token"), id="larger than any token"),
        pytest.param(faults.gzip_bomb(50_000_000), NotSent("no token"), id="a gzip bomb"),
        pytest.param(_answer([GOOD]), NotSent("no token"), id="a list"),
        pytest.param(_answer(b"null"), NotSent("no token"), id="null"),
        pytest.param(_answer(b""), NotSent("no token"), id="nothing"),
        pytest.param(_answer(b"access_token=abc&token_type=bearer"), NotSent("no token"), id="a form"),
        pytest.param(faults.page(), NotSent("no token"), id="a page"),
        pytest.param(_answer(GOOD, status=201), NotSent("no token"), id="another success"),
        pytest.param(_answer(GOOD | {"access_token": 7}), NotSent("no token"), id="a token that is a number"),
        pytest.param(_answer(GOOD | {"access_token": {}}), NotSent("no token"), id="a token that is an object"),
        pytest.param(_answer(GOOD | {"access_token": ""}), NotSent("no token"), id="an empty token"),
        pytest.param(_answer(GOOD | {"access_token": "a\r\nX-I: 1"}), NotSent("no token"), id="a line break within"),
        pytest.param(_answer(GOOD | {"access_token": "a\u0000b"}), NotSent("no token"), id="a null character within"),
        pytest.param(_answer(GOOD | {"access_token": "clé"}), NotSent("no token"), id="an accent within"),
        pytest.param(_answer(GOOD | {"access_token": "a" * 20_000}), NotSent("no token"), id="a token without end"),
        pytest.param(_answer(GOOD | {"token_type": "mac"}), NotSent("no token"), id="another type of token"),
        pytest.param(_answer({"access_token": "abc"}), NotSent("no token"), id="no type of token"),
        pytest.param(_answer(GOOD | {"expires_in": 0}), NotSent("no token"), id="over already"),
        pytest.param(_answer(GOOD | {"expires_in": -1}), NotSent("no token"), id="over before"),
        pytest.param(_answer(GOOD | {"expires_in": True}), NotSent("no token"), id="an end that is true"),
        pytest.param(_answer(GOOD | {"expires_in": None}), NotSent("no token"), id="an end that is null"),
        pytest.param(_answer(GOOD | {"expires_in": "soon"}), NotSent("no token"), id="an end that is a word"),
        pytest.param(
            _answer(b'{"access_token": "abc", "token_type": "bearer", "expires_in": NaN}'),
            NotSent("no token"),
            id="an end that is no number",
        ),
        pytest.param(
            _answer({"error": "invalid_client", "error_description": "Ama Example"}, 401),
            NotSent("token refused", "invalid_client"),
            id="refused, with the word for it",
        ),
        pytest.param(
            _answer({"error": "invalid_scope"}), NotSent("token refused", "invalid_scope"), id="refused, with 200"
        ),
        pytest.param(
            _answer(GOOD | {"error": "invalid_grant"}),
            NotSent("token refused", "invalid_grant"),
            id="refused, and a token",
        ),
        pytest.param(_answer({"error": "Ama Example"}, 400), NotSent("token refused"), id="refused, with other words"),
        pytest.param(_answer(b"", 403), NotSent("token refused"), id="forbidden"),
        pytest.param(
            faults.Answer(429, {"Retry-After": "7"}), NotSent("no token", "", timedelta(seconds=7)), id="too often"
        ),
        pytest.param(faults.Answer(500), NotSent("no token"), id="broken"),
        pytest.param(faults.CutBefore(), NotSent("no token"), id="cut before"),
        pytest.param(faults.CutAfter(), NotSent("no token"), id="cut after: nothing that needs the token was sent"),
        pytest.param(faults.Truncated(), NotSent("no token"), id="half an answer"),
    ],
)
def test_whatever_a_token_endpoint_says_nothing_is_sent_without_a_token(
    partner: FaultServer, fault: Any, expected: NotSent
) -> None:
    """And the next time it is asked again."""
    partner.plan(fault)
    server = Server(with_secret(partner), secret=PASSWORD)
    assert server.transact(b"{}", request_id="r") == expected
    assert {seen.path for seen in partner.seen} <= {"/fhir/token"}
    answer = server.capability()
    assert isinstance(answer, Answered) and answer.status == 200


@pytest.mark.parametrize(
    ("body", "until"),
    [
        pytest.param(GOOD | {"expires_in": 1e300}, LONGEST - 30, id="for ever: no longer than the longest"),
        pytest.param(GOOD | {"expires_in": 10**15}, LONGEST - 30, id="ages"),
        pytest.param(GOOD | {"expires_in": "600"}, 570, id="digits in quotation marks, as some send them"),
        pytest.param(GOOD | {"expires_in": 10}, 8, id="seconds only"),
        pytest.param({k: v for k, v in GOOD.items() if k != "expires_in"}, 270, id="not said"),
        pytest.param(GOOD | {"scope": "patient/*.read"}, 270, id="another scope is the server's to refuse by"),
        pytest.param(GOOD | {"scope": ["x"], "refresh_token": 3}, 270, id="what we do not read may be anything"),
    ],
)
def test_how_long_a_token_is_used(partner: FaultServer, body: Any, until: float) -> None:
    now = [0.0]
    tokens = Tokens(with_secret(partner), secret=PASSWORD, signing=SigningKeys, clock=lambda: now[0])
    partner.plan(_answer(body))
    assert tokens.headers() == {"Authorization": "Bearer abc"}
    now[0] = until - 0.01
    assert tokens.headers() == {"Authorization": "Bearer abc"}
    now[0] = until
    assert tokens.headers() != {"Authorization": "Bearer abc"}


def _broken() -> SigningKeys:
    raise Misconfigured("The file of signing keys cannot be read.")


@pytest.mark.parametrize(
    "server",
    [
        pytest.param(lambda p, k: Server(smart(p), secret=None), id="no signing key"),
        pytest.param(lambda p, k: Server(smart(p, key="gone"), secret=None, signing=lambda: k), id="a key retired"),
        pytest.param(
            lambda p, k: Server(smart(p, key="rs"), secret=None, signing=lambda: k), id="a key of another algorithm"
        ),
        pytest.param(lambda p, k: Server(smart(p), secret=None, signing=_broken), id="a file of keys that is broken"),
        pytest.param(lambda p, k: Server(with_secret(p), secret=None), id="no secret"),
        pytest.param(lambda p, k: Server(with_secret(p), secret="a\r\nb"), id="a secret of two lines"),
        pytest.param(lambda p, k: Server(with_secret(p, certificate="C"), secret=PASSWORD), id="no certificate"),
        pytest.param(
            lambda p, k: Server(replace(p.as_partner(), authorisation=Authorisation("mtls")), secret=None), id="mtls"
        ),
        pytest.param(lambda p, k: Server(with_secret(p, token_url="ftp://x/"), secret=PASSWORD), id="no web address"),
    ],
)
def test_what_is_not_at_hand_is_not_left_out(
    partner: FaultServer, keys: SigningKeys, server: Callable[[FaultServer, SigningKeys], Server]
) -> None:
    assert server(partner, keys).capability() == NotSent("not configured")
    assert partner.connections == 0


def test_nothing_shows_a_token_a_secret_or_a_key(
    partner: FaultServer, keys: SigningKeys, capfd: pytest.CaptureFixture[str]
) -> None:
    """What may be printed or logged by accident holds none of them."""
    tokens = Tokens(with_secret(partner), secret=PASSWORD, signing=SigningKeys)
    shown = tokens.headers()
    assert not isinstance(shown, NotSent)
    said = repr(tokens) + repr(vars(tokens)["_held"]) + repr(keys) + "".join(capfd.readouterr())
    private = json.loads(keys.text())["keys"]
    for secret in (shown["Authorization"].removeprefix("Bearer "), private[0]["d"], private[1]["d"]):
        assert secret not in said


class TestKeys:
    """Published before it is used, and until it is retired."""

    def test_rotation_loses_no_request(self, partner: FaultServer, keys: SigningKeys) -> None:
        """A partner that reads the set at any moment can verify what is shown then."""
        moment = datetime.now(UTC)
        now, soon = moment - timedelta(hours=1), moment + timedelta(seconds=0.4)
        held = [SigningKeys().with_new("old", "ES384", now)]
        guarded(partner).jwks = lambda: held[0].public()
        server = Server(smart(partner), secret=None, signing=lambda: held[0])

        def ask() -> str:
            guarded(partner).good.clear()
            answer = server.capability()
            assert isinstance(answer, Answered) and answer.status == 200, guarded(partner).said
            header = guarded(partner).asked[-1]["client_assertion"].split(".")[0]
            return str(json.loads(base64.urlsafe_b64decode(header + "=="))["kid"])

        assert ask() == "old"
        held[0] = held[0].with_new("next", "ES384", soon)
        assert ask() == "old"
        time.sleep(max(0.0, (soon - datetime.now(UTC)).total_seconds()))
        assert ask() == "next"
        held[0] = held[0].without("old")
        assert ask() == "next"

    def test_public_means_public(self, keys: SigningKeys) -> None:
        published = keys.public()["keys"]
        assert [set(each) for each in published] == [
            {"kty", "crv", "x", "y", "kid", "alg", "use"},
            {"kty", "n", "e", "kid", "alg", "use"},
        ]

    def test_what_was_written_is_read(self, keys: SigningKeys) -> None:
        assert SigningKeys.parse(keys.text()) == keys
        assert SigningKeys.parse(SigningKeys().text()) == SigningKeys()

    @pytest.mark.parametrize(
        "change",
        [
            pytest.param(lambda k: k.pop("kid"), id="no name"),
            pytest.param(lambda k: k.update(kid="a b"), id="a name with a blank"),
            pytest.param(lambda k: k.update(alg="HS384"), id="another algorithm"),
            pytest.param(lambda k: k.update(alg="RS384"), id="the algorithm of the other kind"),
            pytest.param(lambda k: k.pop("d"), id="no private part"),
            pytest.param(lambda k: k.update(crv="P-256"), id="another curve"),
            pytest.param(lambda k: k.update(kty="oct", k="AAAA"), id="a shared secret"),
            pytest.param(lambda k: k.update({"from": "2026-11-27T00:00:00"}), id="a time without a zone"),
            pytest.param(lambda k: k.update({"from": 7}), id="a time that is a number"),
            pytest.param(lambda k: k.update(x=7), id="a point that is a number"),
            pytest.param(lambda k: k.update(kid=["es"]), id="a name that is a list"),
        ],
    )
    def test_a_file_that_is_wrong_is_refused_whole_and_quoted_nowhere(
        self, keys: SigningKeys, change: Callable[[dict[str, Any]], Any]
    ) -> None:
        written = json.loads(keys.text())
        secret = written["keys"][0]["d"]
        change(written["keys"][0])
        with pytest.raises(Misconfigured) as caught:
            SigningKeys.parse(json.dumps(written))
        assert secret not in str(caught.value)

    @pytest.mark.parametrize("text", ["", "[]", "{}", '{"keys": 3}', '{"keys": [3]}', "[" * 10_000, '{"keys": [[]]}'])
    def test_what_is_no_set_of_keys_is_refused(self, text: str) -> None:
        with pytest.raises(Misconfigured):
            SigningKeys.parse(text)

    def test_two_of_one_name_are_refused(self, keys: SigningKeys) -> None:
        written = json.loads(keys.text())
        with pytest.raises(Misconfigured, match="two of one name"):
            SigningKeys.parse(json.dumps({"keys": [written["keys"][0]] * 2}))
