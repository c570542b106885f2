"""Networks of addresses, and whether an address lies in one."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network

    Network: TypeAlias = IPv4Network | IPv6Network


@lru_cache(maxsize=64)
def network_of(text: str) -> Network | None:
    """The network that a text like ``10.0.0.0/8`` or ``2001:db8::/32`` names; None if it names none.

    An address alone is none. Bits behind the prefix do not matter: ``10.1.2.3/8`` is ``10.0.0.0/8``.
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


def in_network(text: str, network: Network) -> bool:
    """Whether a text is an address in a network; what is no address is in none.

    An IPv4 address that is written as IPv6 (``::ffff:10.0.0.1``) is in the networks of both.
    """
    from ipaddress import IPv6Address, ip_address

    try:
        address = ip_address(text.strip())
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        if address.version != network.version and address.ipv4_mapped is not None:
            return address.ipv4_mapped in network
        if address.scope_id is not None:
            address = IPv6Address(int(address))
    return address in network
