"""Where a name leads, and whether we go there: an application's address must not become a way to
ask, from inside our network, what only a machine itself may ask.

Private and loopback addresses are allowed: that is where applications run. What is refused are the
addresses at which clouds tell a machine its credentials.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Awaitable[Sequence[Address]]]

METADATA = frozenset(
    {
        ip_address("100.100.100.200"),  # Alibaba Cloud, "ECS instance metadata".
        ip_address("192.0.0.192"),  # Oracle Cloud, "Instance metadata service", formerly.
        ip_address("fd00:ec2::254"),  # AWS, "IMDS over IPv6".
        ip_address("fd20:ce::254"),  # Google Cloud, "metadata server over IPv6".
        ip_address("168.63.129.16"),  # Azure, "What is IP address 168.63.129.16?".
    }
)
"""Where clouds tell secrets, besides the link-local 169.254.169.254 of nearly all of them."""

NAT64 = ip_network("64:ff9b::/96")
"""IPv6 addresses with an IPv4 address in them. Source: RFC 6052, section 2.1."""


class AddressError(ValueError):
    """A name leads nowhere, or where we do not go."""


def literal(host: str) -> Address | None:
    """The address that a host is written as; None: it is a name."""
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        return None


def allowed(found: Sequence[Address], host: str, *, any_address: bool) -> list[Address]:
    """Those of the addresses of a host that may be called.

    Raises:
        AddressError: there are none.
    """
    good = [address for address in found if any_address or not _is_refused(address)]
    if not good:
        raise AddressError(
            f"{host[:80]} leads to {', '.join(map(str, found[:3])) or 'no address'}, which is not "
            "called: it is link-local, or tells a machine's secrets (WAQ_CALLBACK_ANY_ADDRESS)"
        )
    return good


def _is_refused(address: Address) -> bool:
    inner = _inner(address)
    if inner.is_link_local or inner.is_multicast or inner.is_unspecified:
        return True
    return inner in METADATA or (inner.is_reserved and not inner.is_loopback)


def _inner(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, if it does."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    assert isinstance(NAT64, IPv6Network)
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.sixtofour or address


async def resolve(host: str, port: int) -> list[Address]:
    """All addresses of a host, as the machine's resolver tells them.

    Raises:
        AddressError: it has none.
    """
    known = literal(host)
    if known is not None:
        return [known]
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise AddressError(f"{host[:80]} has no address ({error.strerror})") from None
    return list(dict.fromkeys(ip_address(str(entry[4][0]).partition("%")[0]) for entry in found))
