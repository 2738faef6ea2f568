"""Where a request comes from, if it comes through proxies whose word is believed."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network

from carechat.services import networks
from carechat.services.networks import Address

Networks = Sequence[IPv4Network | IPv6Network]

MAX_HOPS = 16
"""Proxies that are looked behind, one after the other."""


def address(written: str) -> Address | None:
    """Return the address that is written there, with or without a port; None if there is none.

    An IPv4 address as IPv6 writes it is an IPv4 address.
    """
    host = written.strip()
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    return networks.address(host)


def client(peer: str, forwarded: Iterable[str], trusted: Networks) -> str:
    """Return the address of who asks: the last one that no trusted proxy has.

    `peer` is who has connected, `forwarded` the `X-Forwarded-For` headers in their order. Each
    proxy adds on the right whom it heard; what stands left of an address that is not trusted is
    that one's word and not believed, nor is anything that is no address.
    """
    believed = address(peer)
    if believed is None:
        return peer
    hops = ",".join(forwarded).rsplit(",", MAX_HOPS)[-MAX_HOPS:]
    for hop in reversed(hops):
        if not any(believed in network for network in trusted):
            break
        if (before := address(hop)) is None:
            break
        believed = before
    return str(believed)
