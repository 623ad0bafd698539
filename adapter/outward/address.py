"""Decides which addresses a partner's endpoint may have, so that no name leads us into a network of our own."""

from __future__ import annotations

import ipaddress

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NEVER = tuple(
    ipaddress.ip_network(network)
    for network in (
        "169.254.0.0/16",  # link-local, and where clouds keep their metadata
        "fe80::/10",
        "fd00:ec2::/32",  # metadata of AWS over IPv6
        "168.63.129.16/32",  # Azure's, a public address by its number
        "100.100.100.200/32",  # Alibaba's
        "192.0.0.0/24",  # protocol assignments; Oracle's metadata among them
        "0.0.0.0/8",
        "::/128",
    )
)
_NOT_PUBLIC = tuple(
    # Special-purpose blocks (RFC 6890) that ipaddress.is_global of some Python versions takes for public.
    ipaddress.ip_network(network)
    for network in (
        "192.88.99.0/24",
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",
        "3fff::/20",
        "5f00::/16",
        "2002::/16",
        "fec0::/10",
    )
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def allowed(address: str, *, private: bool, encrypted: bool) -> bool:
    """May a connection go to `address` (as the resolver wrote it)?

    Public ones only, and only `encrypted`; with `private` (the partner file says so) private and loopback ones too,
    also in clear, but a public one in clear never. Link-local, metadata and multicast addresses never. An IPv4 address
    inside an IPv6 one (mapped, 6to4, Teredo, NAT64) is judged with it.
    """
    try:
        outer = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return all(_allowed(one, private, encrypted) for one in _meant(outer))


def _allowed(address: _Address, private: bool, encrypted: bool) -> bool:
    if address.is_multicast or _within(address, _NEVER):
        return False
    if address.is_global and not address.is_reserved and not _within(address, _NOT_PUBLIC):
        return encrypted
    return private


def _meant(address: _Address) -> tuple[_Address, ...]:
    """The address, and those inside it. A mapped or translated one is a way of writing the one inside: that alone."""
    if isinstance(address, ipaddress.IPv4Address):
        return (address,)
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    low = int(address)
    if address in _NAT64:
        return (ipaddress.IPv4Address(low & 0xFFFFFFFF),)
    compatible = ipaddress.IPv4Address(low) if 1 < low <= 0xFFFFFFFF else None
    inside = (address.sixtofour, *(address.teredo or ()), compatible)
    return (address, *(one for one in inside if one is not None))


def _within(address: _Address, networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]) -> bool:
    return any(address.version == network.version and address in network for network in networks)
