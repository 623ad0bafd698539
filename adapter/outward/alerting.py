"""Tells people and programs of an alert, by mail or by a signed request to a webhook. What goes wrong is no exception:
it was not told, and is tried again."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import Literal

from adapter.core.alert import Alert, told, words
from adapter.core.strict_json import dump
from adapter.outward.answer import Answered
from adapter.outward.endpoint import Endpoint

Teller = Callable[[Alert], bool]
"""Tells of an alert; False: it was not told."""

_TIMEOUT = 15.0  # seconds: for the whole request to a webhook, and for each step of a mail
_STANDARD = "whsec_"


@dataclass(frozen=True, slots=True)
class Mail:
    """Mails through one server. `tls`: from the first byte ("implicit"), or before anything is said ("starttls");
    "none" only to this machine. `trust`: the path of a file of certificates to trust in place of the public ones."""

    instance: str
    sender: str
    receivers: tuple[str, ...]
    host: str
    port: int
    tls: Literal["implicit", "starttls", "none"]
    user: str = ""
    secret: str | None = field(default=None, repr=False)
    trust: str | None = None

    def __call__(self, alert: Alert) -> bool:
        if self.user and not self.secret:
            return False
        try:
            with self._server() as server:
                if self.user:
                    server.login(self.user, self.secret or "")
                return not server.send_message(self._message(alert))
        except (OSError, smtplib.SMTPException, ValueError):
            return False

    def _server(self) -> smtplib.SMTP:
        context = ssl.create_default_context(cafile=self.trust)
        if self.tls == "implicit":
            return smtplib.SMTP_SSL(self.host, self.port, timeout=_TIMEOUT, context=context)
        server = smtplib.SMTP(self.host, self.port, timeout=_TIMEOUT)
        if self.tls == "starttls":
            try:
                server.starttls(context=context)
            except BaseException:
                server.close()
                raise
        return server

    def _message(self, alert: Alert) -> EmailMessage:
        message = EmailMessage()
        message["From"], message["To"] = self.sender, ", ".join(self.receivers)
        message["Subject"], text = words(alert, self.instance)
        message["Date"] = format_datetime(alert.at)
        message["Message-ID"] = make_msgid(alert.id, domain=self.sender.rpartition("@")[2])
        message.set_content(text)
        return message


class Webhook:
    """Posts JSON to one address, signed as Standard Webhooks say (https://www.standardwebhooks.com): HMAC-SHA256 over
    id, time and body. Whoever receives it checks the signature, that the time is near, and that the id is new."""

    def __init__(
        self, instance: str, url: str, secret: str | None, *, private: bool = False, trust: str | None = None
    ) -> None:
        self._instance = instance
        self._secret = _bytes(secret or "")
        self._endpoint = Endpoint(url, timeout=_TIMEOUT, private=private, trust=trust)

    def __call__(self, alert: Alert) -> bool:
        if not self._secret:
            return False
        body = dump(told(alert, self._instance))
        moment = str(int(datetime.now(UTC).timestamp()))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "csp-fhir-adapter",
            "webhook-id": alert.id,
            "webhook-timestamp": moment,
            "webhook-signature": f"v1,{signature(self._secret, alert.id, moment, body)}",
        }
        answer = self._endpoint.ask("POST", "", headers, body, largest=65_536)
        return isinstance(answer, Answered) and 200 <= answer.status < 300


def signature(secret: bytes, id_: str, moment: str, body: bytes) -> str:
    """What stands behind `v1,` in the header webhook-signature."""
    signed = b".".join((id_.encode(), moment.encode(), body))
    return base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()


def _bytes(secret: str) -> bytes:
    """The secret as it is, or in the form of the standard: base64 behind `whsec_`."""
    if not secret.startswith(_STANDARD):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_STANDARD), validate=True)
    except binascii.Error:
        return b""
