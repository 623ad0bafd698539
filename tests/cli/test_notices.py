"""`adapter notice`: what the case system is told, a trial of its webhook, and telling again."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapter import wiring
from adapter.store import notices
from tests.cli.conftest import Run
from tests.cli.test_administer import printed
from tests.outward import fault_server as faults
from tests.outward.fault_server import FaultServer
from tests.outward.test_webhook import NEW, verified


def test_notices_are_listed_tried_and_told_again(run: Run, instance: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = wiring.wire(instance)
    try:
        with desk.store.writing() as tx:
            for _ in range(3):
                notices.note(tx, "inbox.changed", {"item": "42"}, now=desk.clock())
    finally:
        desk.store.close()
    assert [row["number"] for row in printed(run("--instance", instance, "notice", "list", "--after", "1"))] == [2, 3]
    for command in ("trial", "replay"):
        refused = run("--instance", instance, "notice", command)
        assert refused.exit_code == 1
        assert "[case_system] in adapter.toml" in refused.stderr
    with FaultServer() as server:
        said = (
            f'\n[case_system]\nwebhook = "{server.base_url}"\nwebhook_secrets = ["NOTICES"]\nprivate_addresses = true\n'
        )
        file = instance / "adapter.toml"
        file.write_text(file.read_text(encoding="utf-8") + said, encoding="utf-8")
        refused = run("--instance", instance, "notice", "trial")
        assert "that the secrets are in the environment" in refused.stderr
        assert server.connections == 0
        monkeypatch.setenv("NOTICES", NEW)
        server.plan(faults.Answer(200))
        assert run("--instance", instance, "notice", "trial").exit_code == 0
        [seen] = server.seen
        assert verified(seen, NEW)
        done = printed(run("--instance", instance, "notice", "replay", "--after", "0"))
        assert done["telling"]["waiting"] == 3
