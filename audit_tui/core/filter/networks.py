"""Networks of addresses, and whether an address lies in one."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from audit_tui.core.text import lazy_pattern

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

    Address: TypeAlias = IPv4Address | IPv6Address
    Network: TypeAlias = IPv4Network | IPv6Network

_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_QUAD = lazy_pattern(rf"{_OCTET}(?:\.{_OCTET}){{3}}")
_LIKE_ADDRESS = lazy_pattern(r"(?=[0-9a-f]{0,4}[.:])[0-9a-f.:]{2,45}(?:%.+)?", re.IGNORECASE)


@lru_cache(maxsize=64)
def network_of(text: str) -> Network | None:
    """Return the network that a text like ``10.0.0.0/8`` or ``2001:db8::/32`` names; None if it names none.

    An address alone is not a network. Bits behind the prefix do not matter: ``10.1.2.3/8`` is ``10.0.0.0/8``.
    """
    address, slash, prefix = text.strip().partition("/")
    if not slash or not prefix.isdecimal() or not prefix.isascii():
        return None
    # Imported where it is wanted: 6 ms of the start of every command.
    from ipaddress import ip_network

    try:
        return ip_network(f"{address}/{prefix}", strict=False)
    except ValueError:
        return None


def address_of(text: str) -> Address | None:
    """Return the address that a text is; None if it is not one.

    An IPv4 address that is written as IPv6 (``::ffff:10.0.0.1``) is the IPv4 address; a zone does not count.
    """
    text = text.strip()
    # 0.1 µs for what cannot be one, where ipaddress takes 3.
    if not _LIKE_ADDRESS.fullmatch(text):
        return None
    from ipaddress import IPv6Address, ip_address

    try:
        address = ip_address(text)
    except ValueError:
        return None
    if not isinstance(address, IPv6Address):
        return address
    return address.ipv4_mapped or IPv6Address(int(address))


def address_test(address: Address) -> Callable[[str], bool]:
    """Return the test whether a text is this address, in any notation."""
    text = str(address)
    # Four plain numbers are written in one way only.
    return lambda other: other == text if _QUAD.fullmatch(other) else address_of(other) == address


def network_test(network: Network) -> Callable[[str], bool]:
    """Return the test whether a text is an address in a network; what is not an address is in none.

    An IPv4 address that is written as IPv6 (``::ffff:10.0.0.1``) is in the networks of both.
    """
    first, mask = int(network.network_address), int(network.netmask)
    is_old = network.version == 4

    def test(text: str) -> bool:
        if not _QUAD.fullmatch(text):
            return _is_in(text, network)
        a, b, c, d = text.split(".")
        # 1 µs, where ipaddress takes 10: a store has thousands of addresses.
        return is_old and (int(a) << 24 | int(b) << 16 | int(c) << 8 | int(d)) & mask == first

    return test


def _is_in(text: str, network: Network) -> bool:
    address = address_of(text)
    if address is None:
        return False
    if address in network:
        return True
    if address.version == network.version or ":" not in text:
        return False
    from ipaddress import IPv6Address

    return IPv6Address(text.strip().partition("%")[0]) in network
