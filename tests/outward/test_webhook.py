"""What is posted to the case system is signed by each secret, and verified here by code of our own making."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from adapter.outward.webhook import Hook, Taken
from tests.outward import fault_server as faults
from tests.outward.authority import Authority
from tests.outward.fault_server import FaultServer, Seen

NEW, OLD = "whsec_" + base64.b64encode(bytes(range(32))).decode(), "a word of twenty-four letters"
BODY = '{"type":"trial","words":"é"}'.encode()


def verified(seen: Seen, secret: str) -> bool:
    """As the specification has it, and nothing of ours: any of the signatures of version 1 that fits is enough."""
    key = base64.b64decode(secret[6:]) if secret[:6] == "whsec_" else secret.encode()
    text = f"{seen.headers['webhook-id']}.{seen.headers['webhook-timestamp']}.".encode() + seen.body
    wanted = base64.standard_b64encode(hmac.digest(key, text, hashlib.sha256))
    given = [each.split(",", 1) for each in seen.headers["webhook-signature"].split(" ")]
    return any(version == "v1" and hmac.compare_digest(wanted, value.encode()) for version, value in given)


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as server:
        yield server


def test_each_secret_signs_so_that_either_may_be_checked(server: FaultServer) -> None:
    server.plan(faults.Answer(204), faults.Answer(204))
    assert Hook(server.base_url, [NEW, OLD], private=True)("msg_1", BODY) == Taken(done=True)
    assert Hook(server.base_url, [NEW, None], private=True)("msg_2", BODY).done, "one that is not there signs nothing"
    both, one = server.seen
    assert verified(both, NEW) and verified(both, OLD)
    assert verified(one, NEW) and not verified(one, OLD)
    assert not verified(both, "another word")
    changed = Seen(both.method, both.path, {**both.headers, "webhook-id": "msg_2"}, both.body, 0)
    assert not verified(changed, NEW)
    assert both.body == BODY and both.headers["content-type"] == "application/json"


@pytest.mark.parametrize("secrets", [[], [None], [""], ["whsec_%%%"]])
def test_nothing_leaves_unsigned(server: FaultServer, secrets: list[str | None]) -> None:
    assert Hook(server.base_url, secrets, private=True)("msg_1", BODY) == Taken(done=False)
    assert server.connections == 0


@pytest.mark.parametrize(
    ("fault", "taken"),
    [
        (faults.Answer(200), Taken(done=True)), (faults.Answer(401), Taken(done=False)),
        (faults.Answer(429, {"Retry-After": "7"}), Taken(done=False, retry_after=timedelta(seconds=7))),
        (faults.Answer(410), Taken(done=False, gone=True)), (faults.CutBefore(), Taken(done=False)),
        (faults.CutAfter(applied=False), Taken(done=False)), (faults.Answer(503), Taken(done=False)),
    ],
    ids=["taken", "wrong secret", "too much", "gone", "cut", "cut after", "unavailable"],
)  # fmt: skip
def test_what_comes_of_it_is_a_value(server: FaultServer, fault: Any, taken: Taken) -> None:
    server.plan(fault)
    assert Hook(server.base_url, [NEW], private=True)("msg_1", BODY) == taken


def test_a_redirect_is_followed_nowhere(server: FaultServer) -> None:
    with FaultServer() as elsewhere:
        server.plan(faults.redirect(elsewhere.base_url))
        assert not Hook(server.base_url, [NEW], private=True)("msg_1", BODY).done
        assert elsewhere.seen == []
    assert len(server.seen) == 1


def test_a_private_address_must_be_allowed_and_a_certificate_known(
    server: FaultServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert not Hook(server.base_url, [NEW])("msg_1", BODY).done
    authority = Authority(tmp_path_factory.mktemp("authority"))
    with FaultServer(authority.server(wants_clients_of=None)) as encrypted:
        assert not Hook(encrypted.base_url, [NEW], private=True)("msg_1", BODY).done
        encrypted.plan(faults.Answer(200))
        assert Hook(encrypted.base_url, [NEW], private=True, trust=authority.file.read_text())("msg_1", BODY).done
    assert server.connections == 0
