"""The file of a partner with a folder: what it must say, and what it must not."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from adapter.catalogue import files_root
from adapter.catalogue.files import Found
from adapter.catalogue.partners import read_partners
from adapter.core.partner import Partner

SECTORS = ("education", "hospital", "health", "child-welfare", "mental-health", "early-intervention")
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
SOUND = {
    "base_url": None,
    "folder": '"sftp://maple@drop.fernhollow.example.ca:2222/in/plans"',
    "host_key": f'"{KEY}"',
    "kind": '"ssh-key"',
}


def read(at: Path, **changes: str | None) -> tuple[Partner, list[str]]:
    """Fernhollow's file with these lines in place of its own (None: without it), and what is found wrong in it."""
    path = at / "fernhollow.toml"
    shutil.copyfile(files_root() / "fixtures" / "partners" / "fernhollow.toml", path)
    text = path.read_text("utf-8")
    for key, value in {**SOUND, **changes}.items():
        text, found = re.subn(rf"^{key} = .*$", f"{key} = {value}" if value else "", text, flags=re.MULTILINE)
        if not found and value:
            text = f"{key} = {value}\n{text}"
    path.write_text(text, "utf-8")
    wrong = Found()
    partners = read_partners(at, wrong, sectors=SECTORS, identifier_types=("health-card",), dialects=())
    return partners["fernhollow"], [finding.detail for finding in wrong.errors]


def test_a_folder_stands_in_place_of_a_server(tmp_path: Path) -> None:
    partner, wrong = read(tmp_path)
    assert wrong == []
    assert partner.folder == "sftp://maple@drop.fernhollow.example.ca:2222/in/plans"
    assert (partner.host_key, partner.authorisation.kind) == (KEY, "ssh-key")
    assert partner.is_sent_to


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"base_url": '"https://x.example.ca"'}, "folder: stands in place of base_url", id="both"),
        pytest.param({"host_key": None}, "host_key: is missing", id="no key of the host"),
        pytest.param({"host_key": '"SHA256:abc"'}, "host_key: must be the public key", id="its fingerprint alone"),
        pytest.param({"kind": '"bearer"'}, "kind: a folder needs", id="a bearer token"),
        pytest.param({"withdrawal": '"stub"'}, "withdrawal: files can be deleted", id="stubs"),
        pytest.param({"folder": '"https://x.example.ca/in"'}, "folder: must be an address", id="no SFTP"),
        pytest.param({"folder": '"sftp://x.example.ca/in"'}, "folder: must be an address", id="no user"),
        pytest.param({"folder": '"sftp://u@x.example.ca"'}, "folder: must be an address", id="no path"),
        pytest.param({"folder": '"sftp://u:p@x.example.ca/in"'}, "must hold no password", id="a password"),
        pytest.param({"folder": '"sftp://u@x.example.ca/in/../.."'}, "by its whole path", id="a path that leads up"),
        pytest.param({"folder": '"sftp://u@x.example.ca/in/%2e%2e"'}, "by its whole path", id="and one in disguise"),
        pytest.param({"folder": '"sftp://u@x.example.ca/in/"'}, "by its whole path", id="a slash at its end"),
        pytest.param({"folder": None}, "host_key: is of no use without a folder", id="a key without a folder"),
        pytest.param({"folder": None, "base_url": '"https://x.example.ca"'}, "are for a folder", id="SSH to a server"),
    ],
)
def test_what_is_wrong_with_it_is_said(tmp_path: Path, changes: dict[str, str | None], said: str) -> None:
    _, wrong = read(tmp_path, **changes)
    assert any(said in detail for detail in wrong), wrong
