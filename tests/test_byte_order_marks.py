"""A byte order mark that an editor puts before a file of the instance is passed over, and lines stay right."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapter import settings
from adapter.catalogue.client import client
from adapter.catalogue.files import Found, read_json, read_yaml
from adapter.catalogue.partners import read_partners
from adapter.core.mapping.positions import read_yaml as read_documents
from adapter.core.toml_form import Form, parse
from adapter.wiring import secret_named

MARK = "\ufeff"
SETTINGS = (Path(__file__).parent.parent / "fixtures" / "adapter.toml").read_text(encoding="utf-8")
PARTNER = 'name = "Lakeside"\r\nsectors = ["education"]\r\nsince = 2026-01-15\r\nwrong = 1\r\n'
KEY = f'{{"keys": [{{"kty": "EC", "crv": "P-384", "kid": "k", "x": "{"A" * 64}", "y": "{"A" * 64}"}}]}}'


def partner(file: Path) -> Any:
    found = Found()
    read_partners(file.parent, found, sectors=["education"], identifier_types=[], dialects=[])
    return [(each.line, each.detail) for each in found.errors]


def keys(file: Path) -> Any:
    form = Form(parse("p.toml", f'id = "their-system"\nkeys = "{file.name}"\n'))
    return client(form, file.parent), form.findings


def in_catalogue(read: Callable[[Path, str, Found], Any], file: Path) -> Any:
    found = Found()
    return read(file, file.name, found).values, found.errors


@pytest.mark.parametrize(
    ("name", "text", "read"),
    [
        pytest.param("adapter.toml", SETTINGS, lambda file: settings.read_agency(file.parent), id="the settings"),
        pytest.param("lakeside.toml", PARTNER, partner, id="a partner file, whose fault is on its line"),
        pytest.param("theirs.json", KEY, keys, id="a partner's keys"),
        pytest.param("map.json", '{"name": "map"}', lambda f: in_catalogue(read_json, f), id="a ConceptMap"),
        pytest.param("topics.yaml", "a: 1\nb: x\n", lambda f: in_catalogue(read_yaml, f), id="a YAML file"),
        pytest.param(
            "goal.yaml",
            "a: 1\nb: x\n",
            lambda f: [each.value for each in read_documents(f.read_text("utf-8"), "goal.yaml")],
            id="a mapping file",
        ),
        pytest.param(
            "token", "INVENTED\n", lambda f: secret_named("TOKEN", {"TOKEN_FILE": os.fspath(f)}), id="a secret's file"
        ),
    ],
)
def test_a_file_says_the_same_with_a_byte_order_mark_before_it(
    tmp_path: Path, name: str, text: str, read: Callable[[Path], Any]
) -> None:
    file = tmp_path / name
    file.write_bytes(text.encode())
    plain = read(file)
    file.write_bytes((MARK + text).encode())
    assert read(file) == plain
