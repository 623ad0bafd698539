"""Who is told of what happens, by the settings: people of what needs them, the case system of what has happened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, cast

from adapter.core.toml_form import Form
from adapter.core.toml_values import WrongError, flag, matching, number, one_of, text, variable, web_address, whole

_WRONG_ADDRESS = "must be an http or https address without a slash at its end"
_mailbox = matching(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,190}", "must be a mail address, without a name beside it")
_MAIL = ("mail_to", "mail_from", "smtp_host", "smtp_port", "smtp_tls", "smtp_user", "smtp_secret")
Tls = Literal["starttls", "implicit", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerts:
    """Who is told when a share stops, a conflict waits or a partner is away. Secrets by name only."""

    every_minutes: float = 60.0
    """No more than one alert of a kind and partner in this time."""
    subscription_hours: float = 24.0
    """So long a subscription may not work before people are told."""
    mail_to: tuple[str, ...] = ()
    mail_from: str = ""
    smtp_host: str = ""
    smtp_port: int = 587
    smtp_tls: Tls = "starttls"
    smtp_user: str = ""
    smtp_secret: str = ""
    webhook: str = ""
    webhook_secret: str = ""
    private_addresses: bool = False
    """May the webhook be at a private or loopback address?"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseSystem:
    """Where the agency's case system is told of what has happened. Secrets by name only: the first one signs first."""

    webhook: str = ""
    webhook_secrets: tuple[str, ...] = ()
    private_addresses: bool = False
    """May the webhook be at a private or loopback address?"""


def address(value: Any) -> str:
    """One of the agency's own addresses."""
    found = web_address(value, _WRONG_ADDRESS)
    if found.endswith("/"):
        raise WrongError(_WRONG_ADDRESS)
    return found


def alerts(form: Form) -> Alerts:
    """The table [alerts]; each wrong key is noted in `form`."""
    found = Alerts(
        every_minutes=form.take("every_minutes", number(1, 10_080), 60.0),
        subscription_hours=form.take("subscription_hours", number(1, 720), 24.0),
        mail_to=form.take("mail_to", _mailboxes, ()),
        mail_from=form.take("mail_from", _mailbox, ""),
        smtp_host=form.take("smtp_host", text, ""),
        smtp_port=form.take("smtp_port", whole(1, 65535), 587),
        smtp_tls=cast(Tls, form.take("smtp_tls", one_of("starttls", "implicit", "none"), "starttls")),
        smtp_user=form.take("smtp_user", text, ""),
        smtp_secret=form.take("smtp_secret", variable, ""),
        webhook=form.take("webhook", address, ""),
        webhook_secret=form.take("webhook_secret", variable, ""),
        private_addresses=form.take("private_addresses", flag, False),
    )
    mails = [key for key in _MAIL if form.has(key)]
    for key in ("mail_to", "mail_from", "smtp_host"):
        if mails and not form.has(key):
            form.wrong(f"{key}: is missing; mails need mail_to, mail_from and smtp_host")
    if form.has("smtp_user") != form.has("smtp_secret"):
        form.wrong("smtp_user: and smtp_secret belong together", mails[-1] if mails else "")
    if found.smtp_tls == "none" and found.smtp_host not in ("localhost", "127.0.0.1", "::1"):
        form.wrong('smtp_tls: may be "none" only to this machine', "smtp_tls")
    if found.webhook and not form.has("webhook_secret"):
        form.wrong("webhook_secret: is missing; the name of the environment variable that holds what signs", "webhook")
    if found.webhook.startswith("http:") and not found.private_addresses:
        form.wrong("webhook: must be https, unless private_addresses is true", "webhook")
    form.close()
    return found


def case_system(form: Form) -> CaseSystem:
    """The table [case_system], in the same way."""
    found = CaseSystem(
        webhook=form.take("webhook", address, ""),
        webhook_secrets=form.take("webhook_secrets", _secrets, ()),
        private_addresses=form.take("private_addresses", flag, False),
    )
    if found.webhook and not form.has("webhook_secrets"):
        form.wrong(
            "webhook_secrets: is missing; the names of the environment variables that hold what signs", "webhook"
        )
    if found.webhook.startswith("http:") and not found.private_addresses:
        form.wrong("webhook: must be https, unless private_addresses is true", "webhook")
    form.close()
    return found


def _secrets(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or len(value) > 5:
        raise WrongError(
            'must be a list of one to five names of environment variables, such as ["ADAPTER_HOOK_SECRET"]'
        )
    return tuple(variable(each) for each in value)


def _mailboxes(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or len(value) > 20:
        raise WrongError('must be a list of mail addresses, such as ["on-call@agency.example.ca"]')
    return tuple(_mailbox(each) for each in value)
