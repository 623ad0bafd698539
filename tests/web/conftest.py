"""The whole web on a real database: a client that speaks for a role or a partner, and what it saw."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from adapter.desk import Desk
from adapter.store import tokens
from adapter.store.database import Store
from adapter.store.seal import Keys
from adapter.web.app import create_app
from adapter.web.context import KEY
from adapter.wiring import wire

ROOT = Path(__file__).resolve().parents[2]
ROLES = ("source", "coordinator", "privacy", "engineer", "admin")
PARTNERS = ("lakeside", "riverside")
FHIR = "application/fhir+json"


@dataclass(frozen=True)
class Web:
    """One instance, and a token for each role and for two partners."""

    app: Flask
    store: Store
    tokens: Mapping[str, str]

    def ask(
        self, who: str | None, method: str, path: str, body: Any = None, /, *, query: Any = None, **headers: str
    ) -> TestResponse:
        """One request as this role or partner; a body that is no bytes goes as JSON. `If_Match=…` becomes If-Match."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if who:
            sent["Authorization"] = f"Bearer {self.tokens[who]}"
        if body is not None:
            sent.setdefault("Content-Type", FHIR if path.startswith("/fhir") else "application/json")
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        return self.app.test_client().open(
            path, method=method, data=data, headers=sent, query_string=query, buffered=True
        )


@pytest.fixture(scope="session")
def keys() -> Keys:
    return Keys.generate()


@pytest.fixture(scope="session")
def upgraded(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> tuple[Path, dict[str, str]]:
    """An SQLite file of this version with tokens in it, to copy."""
    path = tmp_path_factory.mktemp("web") / "adapter.db"
    store = Store.open(f"sqlite:///{path}", keys)
    store.upgrade()
    now = datetime.now(UTC)
    with store.writing() as tx:
        given = {role: tokens.new(tx, role=role, now=now) for role in ROLES}
        given |= {name: tokens.new(tx, role="partner", partner=name, now=now) for name in PARTNERS}
        given["revoked"] = tokens.new(tx, role="admin", now=now)
        held = next(issued for issued in reversed(tokens.listed(tx)))
        tokens.revoke(tx, held.id, now)
    store.close()
    return path, given


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Desk:
    """An instance with the fixtures' agency and partners."""
    folder = tmp_path_factory.mktemp("instance")
    shutil.copytree(ROOT / "fixtures" / "partners", folder / "partners")
    said = (ROOT / "fixtures" / "adapter.toml").read_text(encoding="utf-8")
    (folder / "adapter.toml").write_text(f"labels_topics = true\n{said}", encoding="utf-8")
    (folder / "keys").touch(0o600)
    (folder / "keys").write_text(keys.text(), encoding="utf-8")
    return wire(folder, environ={})


Opened = Callable[[Path], Web]


@pytest.fixture(scope="session")
def opened(upgraded: tuple[Path, dict[str, str]], keys: Keys, desk: Desk) -> Iterator[Opened]:
    """Opens a web on a database of its own in this folder."""
    stores: list[Store] = []
    made = create_app(desk)

    def open_in(folder: Path) -> Web:
        shutil.copy(upgraded[0], folder / "adapter.db")
        store = Store.open(f"sqlite:///{folder / 'adapter.db'}", keys)
        stores.append(store)
        app = copy(made)  # the routes are compiled once; a database is what each has of its own
        app.extensions = {KEY: replace(desk, store=store)}
        return Web(app, store, upgraded[1])

    yield open_in
    for store in stores:
        store.close()


@pytest.fixture
def web(opened: Opened, tmp_path: Path) -> Web:
    return opened(tmp_path)


@pytest.fixture
def own_web(web: Web) -> Web:
    """An application that a test may change."""
    return replace(web, app=create_app(web.app.extensions[KEY]))


@pytest.fixture(scope="session")
def shared_web(opened: Opened, tmp_path_factory: pytest.TempPathFactory) -> Web:
    """For tests that leave nothing behind that others could see."""
    return opened(tmp_path_factory.mktemp("shared"))
