"""Commands that connect a partner: partner add, partner check."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from adapter.cli.context import Asked, now, opened, pass_asked, say
from adapter.cli.output import print_json
from adapter.errors import Misconfigured

_PURPOSES = ("care-coordination", "referral", "treatment", "education-planning", "service-resolution", "quality")
_KINDS = ("none", "bearer", "client-secret", "smart-backend", "mtls")
_HEALTH = {"health", "hospital"}


@click.command("add")
@click.argument("partner", metavar="ID")
@click.option("--name", help="What the organisation is called.")
@click.option("--sector", "sectors", multiple=True, metavar="S", help="Who it is; can be given several times.")
@click.option("--base-url", metavar="URL", help="Where its FHIR server answers.")
@click.option("--release", type=click.Choice(("R4", "R5")), help="The release of FHIR that it speaks.")
@click.option("--purpose", type=click.Choice(_PURPOSES), help="Its one standing purpose.")
@click.option("--authorisation", type=click.Choice(_KINDS), help="How we show who we are.")
@click.option("--secret", metavar="NAME", help="The environment variable that holds the secret; never the secret.")
@click.option("--certificate", metavar="NAME", help="The environment variable that holds our certificate; with mtls.")
@click.option("--client-id", metavar="ID", help="Who we are to its token endpoint; with client-secret, smart-backend.")
@click.option("--token-url", metavar="URL", help="Where its tokens are given out, if its server does not say.")
@click.option("--scope", "scopes", multiple=True, metavar="S", help="What a token is asked for; several times.")
@click.option("--mode", type=click.Choice(("auto", "transaction", "batch", "single")), help="How it is sent changes.")
@click.option("--matching", type=click.Choice(("identifier", "match", "create")), help="How a child is found there.")
@click.option(
    "--identifier-system", "systems", multiple=True, metavar="URI", help="By which both know a child; several times."
)
@click.option(
    "--identifier", "identifiers", multiple=True, metavar="SYSTEM|VALUE", help="Of the organisation; several times."
)
@click.option("--notice/--no-notice", default=None, help="May it learn that something was withheld?")
@click.option("--private-addresses", is_flag=True, help="Its address is a private one, on your own network.")
@click.option("--trust", metavar="FILE", help="Its own authority's certificate (PEM): a file in partners/.")
@click.option("--yes", is_flag=True, help="Ask nothing: what is not given is left at its default.")
@pass_asked
def partner_add(asked: Asked, partner: str, yes: bool, **given: Any) -> None:
    """Write partners/ID.toml, by asking. ID is how consents name it: "partners/ID".

    A file that is there already is left alone, and what `adapter check` would refuse is not written.

    \b
    Examples:
      adapter --instance my-agency partner add lakeside
      adapter --instance my-agency partner add lakeside --yes --name "Lakeside District School Board" \\
          --sector education --base-url https://fhir.lakeside.example.ca/fhir --secret LAKESIDE_TOKEN
    """
    asked.settings()  # it is an instance
    folder = asked.folder / "partners"
    path = folder / f"{partner}.toml"
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", partner):
        raise click.BadParameter("must be letters, digits, hyphens and dots", param_hint="ID")
    if path.exists():
        raise click.UsageError(f"{path} is there already, and is left as it is: change it with an editor.")
    answers = _answers(partner, given, asks=not yes)
    text = _file(partner, answers, now().date().isoformat())
    _refuse_what_is_wrong(asked, folder, path.name, text, trust=answers["trust"])
    try:
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}.") from None
    click.echo(path)
    names = [answers["credentials"][key] for key in ("secret", "certificate") if key in answers["credentials"]]
    first = f"put what belongs there into {' and '.join(names)}, then: " if names else ""
    say(f"Next: {first}adapter --instance {asked.folder} partner check {partner}")


@click.command("check")
@click.argument("partner", metavar="P")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_asked
def partner_check(asked: Asked, partner: str, as_json: bool) -> None:
    """Call a partner: what its server can do, and what the adapter will therefore do. Nothing of a case is sent.

    Reads /metadata, and searches for a Patient by an identifier that nobody has. Of a partner with a folder: logs in,
    writes a small file, and removes it again. Ends with 1 where it cannot work.

    \b
    Example:
      adapter --instance my-agency partner check lakeside
    """
    from adapter.reconcile.checking import check_partner

    with opened(asked) as wired:
        found = check_partner(wired, partner)
    if as_json:
        print_json(found)
    else:
        for title, sentences in (("What its server can do", found["can"]), ("What will be done", found["will"])):
            click.echo(f"{title}:")
            for sentence in sentences:
                click.echo(f"  {sentence}")
    for sentence in found["wrong"]:
        say(f"adapter: {sentence}")
    if found["wrong"]:
        raise click.exceptions.Exit(1)
    say("It can be sent to.")


commands = (partner_add, partner_check)


def _answers(partner: str, given: Mapping[str, Any], *, asks: bool) -> dict[str, Any]:
    """What was given, and what is asked for where it was not."""

    def one(key: str, words: str, default: str | None, choices: tuple[str, ...] = ()) -> str:
        if given[key] is not None:
            return str(given[key])
        if not asks:
            if default is None:
                raise click.UsageError(f"--{key.replace('_', '-')} is needed with --yes.")
            return default
        kind = click.Choice(choices) if choices else str
        return str(click.prompt(words, default=default, type=kind, err=True))

    def many(key: str, words: str, default: str | None) -> list[str]:
        if given[key] or not asks:
            if not given[key] and default is None:
                raise click.UsageError("--sector is needed with --yes.")
            return list(given[key])
        said = str(click.prompt(f"{words} (with commas between them)", default=default, err=True))
        return [each.strip() for each in said.split(",") if each.strip()]

    answers: dict[str, Any] = {
        "name": one("name", "What is the organisation called?", None),
        "sectors": many("sectors", "Its sectors", None),
        "base_url": one("base_url", "Where does its FHIR server answer?", None).rstrip("/"),
        "release": one("release", "Which release of FHIR does it speak?", "R4", ("R4", "R5")),
        "purpose": one("purpose", "Its standing purpose", "care-coordination", _PURPOSES),
        "authorisation": one("authorisation", "How do we show who we are?", "bearer", _KINDS),
        "mode": one("mode", "How is it sent changes?", "auto", ("auto", "transaction", "batch", "single")),
        "matching": one("matching", "How is a child found there?", "identifier", ("identifier", "match", "create")),
        "identifier_systems": many("systems", "Systems of identifiers by which both know a child", ""),
        "identifiers": [_system_and_value(each) for each in given["identifiers"]],
        "private_addresses": given["private_addresses"],
        "trust": given["trust"] or "",
        "notice": given["notice"],
        "credentials": {},
    }
    if answers["private_addresses"] and str(answers["base_url"]).startswith("https:"):
        words = "Which file in partners/ holds the certificate of its own authority (empty: a public one)?"
        answers["trust"] = one("trust", words, "").strip()
    answers["credentials"] = _credentials(partner, str(answers["authorisation"]), given, one)
    if answers["notice"] is None and _HEALTH & set(answers["sectors"]):
        if not asks:
            raise click.UsageError("--notice or --no-notice is needed for a health partner.")
        answers["notice"] = click.confirm("May it learn, by one bit, that something was withheld?", err=True)
    return answers


def _credentials(
    partner: str, kind: str, given: Mapping[str, Any], one: Callable[[str, str, str | None], str]
) -> dict[str, Any]:
    """What the table [authorisation] says besides its kind: names of secrets, never one."""
    begin = re.sub(r"[^A-Z0-9]", "_", partner.upper())
    begin = f"_{begin}" if begin[0].isdigit() else begin  # no variable's name begins with a digit
    found: dict[str, Any] = {}
    if kind in ("bearer", "client-secret"):
        default = f"{begin}_TOKEN" if kind == "bearer" else f"{begin}_SECRET"
        found["secret"] = one("secret", "Which environment variable holds the secret?", default)
    if kind in ("client-secret", "smart-backend"):
        found["client_id"] = one("client_id", "Who are we to its token endpoint?", None)
        found |= {"token_url": given["token_url"]} if given["token_url"] else {}
        found |= {"scopes": list(given["scopes"])} if given["scopes"] else {}
    if kind == "mtls":
        found["certificate"] = one("certificate", "Which environment variable holds our certificate?", f"{begin}_CERT")
    return found


def _system_and_value(given: str) -> tuple[str, str]:
    system, bar, value = given.partition("|")
    if not (system and bar and value):
        raise click.BadParameter("must be SYSTEM|VALUE", param_hint="--identifier")
    return system, value


def _file(partner: str, answers: Mapping[str, Any], today: str) -> str:
    """The partner file, with a word to each key."""
    said = {key: _toml(value) for key, value in answers.items()}
    lines = [
        f'# Consents name it as "partners/{partner}"; an organization in a case says that it is this partner with',
        f'# "partner": "{partner}". Every key there is stands in partners/example.toml and docs/operating.md.',
        "",
        f"name = {said['name']}",
        f"sectors = {said['sectors']}",
        f"since = {today}                # the day it was connected",
        f"purpose = {said['purpose']}",
        "",
        f"base_url = {said['base_url']}",
        *(["private_addresses = true"] if answers["private_addresses"] else []),
        *([f"trust = {said['trust']}"] if answers["trust"] else []),
        f"release = {said['release']}",
        f"mode = {said['mode']}",
        f"matching = {said['matching']}",
        f"identifier_systems = {said['identifier_systems']}",
        *([f"withheld_notice = {said['notice']}"] if answers["notice"] is not None else []),
    ]
    for system, value in answers["identifiers"]:
        lines += ["", "[[identifiers]]", f"system = {_toml(system)}", f"value = {_toml(value)}"]
    lines += ["", "# Of a secret the name of an environment variable, never the secret itself.", "[authorisation]"]
    lines += [f"kind = {said['authorisation']}"]
    lines += [f"{key} = {_toml(value)}" for key, value in answers["credentials"].items()]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    """JSON's texts, lists and flags are TOML's."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _refuse_what_is_wrong(asked: Asked, folder: Path, name: str, text: str, *, trust: str) -> None:
    """Read beside the other partners as `adapter check` would; Misconfigured, with what is wrong of this one."""
    with tempfile.TemporaryDirectory(prefix="adapter-partner-") as beside:
        try:
            for other in (*folder.glob("*.toml"), *(each for each in folder.glob("*.pem") if each.name == trust)):
                shutil.copy(other, beside)
        except OSError as error:
            raise click.ClickException(f"{folder} cannot be read: {error.strerror}.") from None
        (Path(beside) / name).write_text(text, encoding="utf-8")
        try:
            asked.catalogue(Path(beside))
        except Misconfigured as wrong:
            own = [finding for finding in wrong.findings if Path(finding.file).name == name]
            if own or not wrong.findings:
                told = [f"{name}: {finding.detail}" for finding in own] or [wrong.detail]
                raise click.ClickException("nothing was written: " + "; ".join(told)) from None
