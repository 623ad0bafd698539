"""One instance's settings: read whole, replaced by the environment, refused with every problem; all documented."""

from __future__ import annotations

import dataclasses
import os
import re
from pathlib import Path

import pytest

from adapter import settings
from adapter.errors import Misconfigured
from adapter.settings import OVERRIDABLE, Settings, read, read_agency
from adapter.settings.told import Alerts, CaseSystem

REPOSITORY = Path(__file__).resolve().parent.parent
LEAST = """\
labels_topics = true
[agency]
name = "Maple Valley"
time_zone = "America/Toronto"
identifier_system = "https://agency.example.ca/id"
[[agency.identifiers]]
system = "https://registry.example.ca/organizations"
value = "INVENTED-1"
"""


@pytest.fixture
def instance(tmp_path: Path) -> Path:
    keys = tmp_path / "keys"
    keys.write_text("not read here")
    keys.chmod(0o600)
    (tmp_path / "adapter.toml").write_text(LEAST)
    return tmp_path


def findings(folder: Path, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(Misconfigured) as caught:
        read(folder, environ or {})
    return [str(finding).removeprefix(f"{folder}{os.sep}") for finding in caught.value.findings]


def test_what_is_left_out_has_a_default_that_works_on_one_machine(instance: Path) -> None:
    found = read(instance, {})
    assert found.database == f"sqlite:///{instance.resolve()}/adapter.db"
    assert (found.host, found.port, found.public_url, found.worker_in_process) == ("127.0.0.1", 8080, "", True)
    assert (found.lease_seconds, found.poll_seconds) == (30.0, 1.0)
    assert (found.keys, found.partners) == (instance / "keys", instance / "partners")
    assert found.time_zone.key == "America/Toronto"
    assert found.agency_identifiers == (("https://registry.example.ca/organizations", "INVENTED-1"),)


def test_every_problem_of_the_file_is_reported_at_once_with_its_line(instance: Path) -> None:
    (instance / "adapter.toml").write_text(
        'port = "8080"\ndatabse = "sqlite:///x.db"\nlease_seconds = 0\n[agency]\nname = ""\ntime_zone = "Toronto"\n'
    )
    (instance / "keys").unlink()
    assert findings(instance) == [
        "adapter.toml: labels_topics: must be chosen: true if your case system labels records with sensitive topics,"
        " else false",
        "adapter.toml:1: port: must be a whole number from 0 to 65535",
        "adapter.toml:2: databse: is not a key of this file; did you mean database?",
        "adapter.toml:3: lease_seconds: must be a number from 1 to 3600",
        "adapter.toml:4: identifier_system: is missing",
        "adapter.toml:4: identifiers: at least one [[agency.identifiers]] is needed, to find the agency in a case",
        "adapter.toml:5: name: must be a text on one line, and not empty, without characters that cannot be seen",
        "adapter.toml:6: time_zone: must be the name of a time zone, such as America/Toronto",
        "keys: the key file is missing; restore it from its backup",
    ]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
def test_a_key_file_that_others_may_use_is_refused(instance: Path, mode: int) -> None:
    (instance / "keys").chmod(mode)
    assert findings(instance) == ["keys: others than its owner may use the key file: chmod 600"]


def test_a_folder_that_is_no_instance_is_one_clear_finding(tmp_path: Path) -> None:
    assert findings(tmp_path) == ["adapter.toml: is missing"]


def test_the_environment_replaces_what_the_file_says(instance: Path) -> None:
    environ = {
        "ADAPTER_PORT": "9000",
        "ADAPTER_AGENCY_NAME": "311",
        "ADAPTER_AGENCY_TIME_ZONE": "America/Vancouver",
        "ADAPTER_LABELS_TOPICS": "false",
        "ADAPTER_LEASE_SECONDS": "2.5",
        "ADAPTER_DATABASE": "postgresql://adapter:hidden@db.example/adapter",
        "ADAPTER_UNKNOWN": "is somebody else's",
    }
    found = read(instance, environ)
    assert (found.port, found.agency_name, found.time_zone.key) == (9000, "311", "America/Vancouver")
    assert (found.labels_topics, found.lease_seconds) == (False, 2.5)
    assert found.database == "postgresql://adapter:hidden@db.example/adapter"
    assert "hidden" not in repr(found), "a password of the database is not printed with the settings"


@pytest.mark.parametrize(
    ("above", "modes", "environ", "said"),
    [
        pytest.param("port = 0.5\n", {}, {}, "The adapter.toml is wrong.", id="the settings"),
        pytest.param("", {"keys": 0o640}, {}, "The key file keys is wrong.", id="the keys alone"),
        pytest.param(
            "", {"signing-keys.json": 0o644}, {}, "The key file signing-keys.json is wrong.", id="signing keys"
        ),
        pytest.param("", {}, {"ADAPTER_PORT": "x"}, "The environment variable ADAPTER_PORT is wrong.", id="a variable"),
        pytest.param(
            "port = 0.5\n", {"keys": 0o604}, {}, "The adapter.toml and the key file keys are wrong.", id="two files"
        ),
    ],
)
def test_the_first_sentence_names_the_file_that_is_wrong(
    instance: Path, above: str, modes: dict[str, int], environ: dict[str, str], said: str
) -> None:
    (instance / "adapter.toml").write_text(above + LEAST)
    for name, mode in modes.items():
        (instance / name).touch()
        (instance / name).chmod(mode)
    with pytest.raises(Misconfigured) as caught:
        read(instance, environ)
    assert caught.value.detail == said


def test_a_wrong_value_in_the_environment_is_named_there(instance: Path) -> None:
    (instance / "adapter.toml").write_text("port = 1\n" + LEAST)
    assert findings(instance, {"ADAPTER_PORT": "many", "ADAPTER_AGENCY_TIME_ZONE": "../../etc/passwd"}) == [
        "environment variable ADAPTER_AGENCY_TIME_ZONE: time_zone: must be the name of a time zone, such as"
        " America/Toronto",
        "environment variable ADAPTER_PORT: port: must be a whole number from 0 to 65535",
    ]


@pytest.mark.parametrize("url", ["mysql://x/y", "adapter.db", 5])
def test_a_database_that_is_not_spoken_is_refused(instance: Path, url: object) -> None:
    (instance / "adapter.toml").write_text(f"database = {url!r}\n" + LEAST)
    assert findings(instance) == [
        "adapter.toml:1: database: must be a SQLite or PostgreSQL URL, such as sqlite:///adapter.db"
    ]


SOURCES = """
[[sources]]
id = "case-system"
labels_topics = true
[[sources]]
id = "intake-form"
title = "The form on our page"
labels_topics = false
"""


def test_each_source_says_whether_it_labels(instance: Path) -> None:
    (instance / "adapter.toml").write_text(LEAST + SOURCES)
    found = read(instance, {})
    assert [(each.id, each.title, each.labels_topics) for each in found.sources] == [
        ("case-system", "", True),
        ("intake-form", "The form on our page", False),
    ]


def test_what_is_wrong_in_the_sources_is_reported_with_its_line(instance: Path) -> None:
    wrong = '[[sources]]\nid = "Case System"\nlabels_topics = true\n[[sources]]\nid = "a"\ncolour = 1\n'
    (instance / "adapter.toml").write_text(LEAST + wrong + '[[sources]]\nid = "a"\nlabels_topics = false\n')
    assert findings(instance) == [
        "adapter.toml:10: id: must be lower-case letters, digits and hyphens, such as intake-form",
        "adapter.toml:12: labels_topics: must be chosen: true if your case system labels records with sensitive topics,"
        " else false",
        "adapter.toml:14: colour: is not a key of this file",
        "adapter.toml:16: id: another source has this id",
    ]


def test_the_fixtures_agency_needs_no_instance() -> None:
    found = read_agency(REPOSITORY / "fixtures")
    assert found.time_zone.key == "America/Toronto"
    assert found.labels_topics


def test_every_setting_stands_in_the_operating_guide_and_nothing_else_does() -> None:
    """A setting without a row in docs/operating.md, or a row without a setting, fails here."""
    guide = (REPOSITORY / "docs" / "operating.md").read_text(encoding="utf-8")
    table = guide.partition("## Settings")[2].partition("\n## ")[0]
    documented = set(re.findall(r"^\| `([a-z_.]+)` \|", table, re.MULTILINE))
    fields = {field.name.removeprefix("agency_") for field in dataclasses.fields(Settings)}
    assert {name.rpartition(".")[2] for name in documented} == fields - {"instance"}
    assert {".".join(path) for path in OVERRIDABLE} == documented - {
        "agency.identifiers",
        "sources",
        "alerts",
        "case_system",
    }
    for path in OVERRIDABLE:
        assert f"`{settings.ENVIRONMENT}{'_'.join(path).upper()}`" in table


WRITTEN = """\
[alerts]
mail_to = ["on-call@agency.example.ca"]
mail_from = "adapter@agency.example.ca"
smtp_host = "smtp.agency.example.ca"
smtp_user = "adapter"
smtp_secret = "SMTP_PASSWORD"
webhook = "https://alerts.agency.example.ca/adapter"
webhook_secret = "WEBHOOK_SECRET"
every_minutes = 15
"""


def test_who_is_told_is_read_whole(instance: Path) -> None:
    (instance / "adapter.toml").write_text(LEAST + WRITTEN)
    assert read(instance, {}).alerts == Alerts(
        every_minutes=15.0,
        mail_to=("on-call@agency.example.ca",),
        mail_from="adapter@agency.example.ca",
        smtp_host="smtp.agency.example.ca",
        smtp_user="adapter",
        smtp_secret="SMTP_PASSWORD",
        webhook="https://alerts.agency.example.ca/adapter",
        webhook_secret="WEBHOOK_SECRET",
    )
    (instance / "adapter.toml").write_text(LEAST)
    assert read(instance, {}).alerts == Alerts()


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        pytest.param('mail_from = "adapter@agency.example.ca"\n', "", "mail_from: is missing", id="nobody sends"),
        pytest.param('smtp_secret = "SMTP_PASSWORD"\n', "", "smtp_user: and smtp_secret belong", id="a user alone"),
        pytest.param('"SMTP_PASSWORD"', '"pa55 word"', "smtp_secret: must be the name of", id="the password itself"),
        pytest.param("https://alerts", "http://alerts", "webhook: must be https", id="in clear"),
        pytest.param("https://alerts", "https://me:word@alerts", "webhook: must hold no user name", id="a password"),
        pytest.param("https://alerts", "https://*.alerts", "webhook: must be an http", id="a host that is none"),
        pytest.param('webhook_secret = "WEBHOOK_SECRET"\n', "", "webhook_secret: is missing", id="nothing signs"),
        pytest.param("on-call@", "On Call <on-call@", "mail_to: must be a mail address", id="a name beside it"),
        pytest.param("every_minutes = 15", "every_minutes = 0", "every_minutes: must be a number", id="a flood"),
        pytest.param("every_minutes", 'smtp_tls = "none"\nevery_minutes', "smtp_tls: may be", id="a mail in clear"),
        pytest.param("every_minutes", "every_minute", "every_minute: is not a key", id="a typo"),
    ],
)
def test_who_is_told_is_checked(instance: Path, before: str, after: str, words: str) -> None:
    assert before in WRITTEN
    (instance / "adapter.toml").write_text(LEAST + WRITTEN.replace(before, after))
    [found] = findings(instance)
    assert re.match(r"adapter\.toml:\d+: " + re.escape(words), found), found
    assert "pa55" not in found


NOTICES = """\
[case_system]
webhook = "https://cases.agency.example.ca/adapter"
webhook_secrets = ["NOTICES_NEW", "NOTICES_OLD"]
"""


def test_where_the_case_system_is_told_is_read_whole(instance: Path) -> None:
    (instance / "adapter.toml").write_text(LEAST + NOTICES)
    assert read(instance, {}).case_system == CaseSystem(
        webhook="https://cases.agency.example.ca/adapter", webhook_secrets=("NOTICES_NEW", "NOTICES_OLD")
    )
    (instance / "adapter.toml").write_text(LEAST)
    assert read(instance, {}).case_system == CaseSystem()


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        pytest.param(
            'webhook_secrets = ["NOTICES_NEW", "NOTICES_OLD"]\n', "", "webhook_secrets: is missing", id="none"
        ),
        pytest.param('["NOTICES_NEW", "NOTICES_OLD"]', "[]", "webhook_secrets: must be a list", id="an empty list"),
        pytest.param('["NOTICES_NEW", "NOTICES_OLD"]', '"NOTICES"', "webhook_secrets: must be a list", id="no list"),
        pytest.param('"NOTICES_OLD"', '"whsec_pa55=="', "webhook_secrets: must be the name of", id="the secret itself"),
        pytest.param("https://cases", "http://cases", "webhook: must be https", id="in clear"),
        pytest.param("webhook_secrets", "secrets = []\nwebhook_secrets", "secrets: is not a key", id="a typo"),
    ],
)
def test_where_the_case_system_is_told_is_checked(instance: Path, before: str, after: str, words: str) -> None:
    assert before in NOTICES
    (instance / "adapter.toml").write_text(LEAST + NOTICES.replace(before, after))
    [found] = findings(instance)
    assert re.match(r"adapter\.toml:\d+: " + re.escape(words), found), found
    assert "pa55" not in found
