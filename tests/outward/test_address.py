"""Which addresses a connection may go to."""

from __future__ import annotations

import pytest

from adapter.outward.address import allowed

PUBLIC = ["8.8.8.8", "203.0.114.7", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
PRIVATE = [
    "127.0.0.1",
    "127.9.9.9",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "198.18.0.1",
    "::1",
    "fd12::1",
    "::ffff:10.0.0.1",
    "::ffff:127.0.0.1",
    "64:ff9b::a00:1",
    "2002:a00:1::",
    "::10.0.0.1",
]
NEVER = [
    "169.254.169.254",
    "fe80::1",
    "fe80::1%eth0",
    "::ffff:169.254.169.254",
    "fd00:ec2::254",
    "168.63.129.16",
    "100.100.100.200",
    "192.0.0.192",
    "0.0.0.0",
    "::",
    "224.0.0.1",
    "ff02::1",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::",
    "",
    "localhost",
    "2130706433",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_reached_encrypted_only(address: str) -> None:
    """With and without leave for private ones; in clear never."""
    assert allowed(address, private=False, encrypted=True)
    assert allowed(address, private=True, encrypted=True)
    assert not allowed(address, private=True, encrypted=False)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_need_leave(address: str) -> None:
    """Also inside of an IPv6 address."""
    assert not allowed(address, private=False, encrypted=True)
    assert allowed(address, private=True, encrypted=False)


@pytest.mark.parametrize("address", NEVER)
def test_some_addresses_are_never_reached(address: str) -> None:
    """Link-local, metadata, multicast, nowhere; and what is no address."""
    assert not allowed(address, private=True, encrypted=True)
