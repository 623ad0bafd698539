"""Alerts reach a mail server and a webhook as they are allowed to, and say nothing about anybody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapter.core.alert import Alert
from adapter.outward.alerting import Mail, Webhook
from adapter.outward.webhook import signature
from tests.outward import fault_server as faults
from tests.outward.authority import Authority
from tests.outward.fault_server import FaultServer
from tests.outward.mail_server import MailServer

NOW = datetime(2026, 11, 27, 9, tzinfo=UTC)
ALERT = Alert("mail-stopped-lakeside-1", "stopped", "lakeside", (7, 9), "rejected", 12, NOW - timedelta(hours=1), NOW)
TO = ("on-call@agency.example.ca", "engineer@agency.example.ca")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def mail(server: MailServer, tls: Any, **given: Any) -> Mail:
    return Mail("maple", "adapter@agency.example.ca", TO, "127.0.0.1", server.port, tls, **given)


class TestMail:
    """Encrypted before anything is said, or not at all."""

    @pytest.mark.parametrize("tls", ["starttls", "implicit", "none"])
    def test_a_mail_says_what_waits_and_what_to_do(self, authority: Authority, tls: str) -> None:
        context = None if tls == "none" else authority.server(wants_clients_of=None)
        with MailServer(context, implicit=tls == "implicit", login="adapter:pass") as server:
            trust = authority.file.read_text()
            user = {} if tls == "none" else {"user": "adapter", "secret": "pass"}
            assert mail(server, tls, trust=trust, **user)(ALERT)
            [(receivers, message)] = server.mails
        assert receivers == list(TO)
        assert (message["Subject"], message["From"]) == ("[maple] lakeside: stopped (12)", "adapter@agency.example.ca")
        text = message.get_content()
        for words in ("Shares have stopped", "rejected", "12, since 2026-11-27T08:00:00+00:00", "7, 9", "share retry"):
            assert words in text
        telling = [line for line, encrypted in server.said if not encrypted]
        assert tls == "none" or [line.split()[0].upper() for line in telling] in ([], ["EHLO", "STARTTLS"])

    @pytest.mark.parametrize(
        "why", ["no TLS offered", "unknown certificate", "wrong secret", "no secret", "refused", "gone"]
    )
    def test_what_is_not_told_is_no_exception(self, authority: Authority, why: str) -> None:
        context = None if why == "no TLS offered" else authority.server(wants_clients_of=None)
        with MailServer(context, login="adapter:pass") as server:
            server.answer_to_data = "451 not now" if why == "refused" else server.answer_to_data
            given: dict[str, Any] = {"user": "adapter", "secret": "pass", "trust": authority.file.read_text()}
            given |= {"no secret": {"secret": None}, "wrong secret": {"secret": "no"}}.get(why, {})
            given |= {"trust": ""} if why == "unknown certificate" else {}
            way = mail(server, "starttls", **given)
            way = replace(way, port=1) if why == "gone" else way
            assert not way(ALERT)
            assert server.mails == []
            assert not [line for line, encrypted in server.said if not encrypted and line.startswith("AUTH")]

    def test_nothing_shows_the_secret(self) -> None:
        assert "pass" not in repr(Mail("maple", "a@b.ca", TO, "h", 25, "starttls", "adapter", "pass"))


@pytest.fixture
def hook() -> Iterator[FaultServer]:
    with FaultServer() as server:
        yield server


class TestWebhook:
    """Signed, so that whoever receives it knows by whom it is."""

    @pytest.mark.parametrize(
        ("secret", "key"),
        [
            pytest.param("a word of many letters", b"a word of many letters", id="as it is"),
            pytest.param("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", None, id="in the form of the standard"),
        ],
    )
    def test_it_is_signed(self, hook: FaultServer, secret: str, key: bytes | None) -> None:
        import base64

        hook.plan(faults.Answer(204))
        assert Webhook("maple", hook.base_url, secret, private=True)(ALERT)
        [seen] = hook.seen
        assert json.loads(seen.body) == {
            "instance": "maple",
            "kind": "stopped",
            "partner": "lakeside",
            "shares": [7, 9],
            "outcome": "rejected",
            "count": 12,
            "since": "2026-11-27T08:00:00+00:00",
            "at": "2026-11-27T09:00:00+00:00",
            "sentence": "Shares have stopped: they are not tried again until something changes or a person says so.",
        }
        key = key or base64.b64decode(secret.removeprefix("whsec_"))
        moment = seen.headers["webhook-timestamp"]
        assert abs(int(moment) - datetime.now(UTC).timestamp()) < 60
        assert seen.headers["webhook-signature"] == f"v1,{signature(key, ALERT.id, moment, seen.body)}"
        assert seen.headers["webhook-id"] == ALERT.id

    def test_the_signature_is_that_of_the_standard(self) -> None:
        """The example of its reference libraries (https://www.standardwebhooks.com)."""
        import base64

        key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        body = b'{"test": 2432232314}'
        found = signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body)
        assert found == "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

    @pytest.mark.parametrize(
        "fault",
        [
            faults.Answer(500), faults.Answer(404), faults.redirect("http://127.0.0.1:1/"), faults.CutBefore(),
            faults.gzip_bomb(30_000_000),
        ],
        ids=["broken", "not there", "elsewhere", "cut", "an answer that bursts"],
    )  # fmt: skip
    def test_what_is_not_told_is_no_exception(self, hook: FaultServer, fault: Any) -> None:
        hook.plan(fault)
        told = Webhook("maple", hook.base_url, "a word", private=True)(ALERT)
        assert told is (isinstance(fault, faults.Answer) and fault.status == 200)

    @pytest.mark.parametrize("secret", [None, "", "whsec_%%%"])
    def test_nothing_is_sent_unsigned(self, hook: FaultServer, secret: str | None) -> None:
        assert not Webhook("maple", hook.base_url, secret, private=True)(ALERT)
        assert not Webhook("maple", hook.base_url, "a word")(ALERT), "nor to a private address that nobody allowed"
        assert hook.connections == 0
