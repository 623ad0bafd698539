"""Tells people and programs of an alert, by mail or by a signed request to a webhook. What goes wrong is no exception:
it was not told, and is tried again."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import Literal

from adapter.core.alert import Alert, told, words
from adapter.core.strict_json import dump
from adapter.outward.webhook import Hook

Teller = Callable[[Alert], bool]
"""Tells of an alert; False: it was not told."""

_TIMEOUT = 15.0  # seconds: for each step of a mail


@dataclass(frozen=True, slots=True)
class Mail:
    """Mails through one server. `tls`: from the first byte ("implicit"), or before anything is said ("starttls");
    "none" only to this machine. `trust`: certificates to trust in place of the public ones (PEM)."""

    instance: str
    sender: str
    receivers: tuple[str, ...]
    host: str
    port: int
    tls: Literal["implicit", "starttls", "none"]
    user: str = ""
    secret: str | None = field(default=None, repr=False)
    trust: str = ""

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
        context = ssl.create_default_context(cadata=self.trust or None)
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
    """Posts an alert as JSON, signed, to one address (webhook.py)."""

    def __init__(self, instance: str, url: str, secret: str | None, *, private: bool = False, trust: str = "") -> None:
        self._instance = instance
        self._hook = Hook(url, [secret], private=private, trust=trust)

    def __call__(self, alert: Alert) -> bool:
        return self._hook(alert.id, dump(told(alert, self._instance))).done
