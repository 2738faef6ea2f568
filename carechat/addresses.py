"""Addresses as settings name them: the origin that browsers tell, and networks."""

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from urllib.parse import SplitResult, urlsplit

Network = IPv4Network | IPv6Network

_LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
_DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST_NAME = re.compile(r"(?!-)[a-z\d-]+(?<!-)(\.(?!-)[a-z\d-]+(?<!-))*", re.ASCII)


def origin(url: str) -> str:
    """Return the URL as browsers write it in `Origin`; raises `ValueError` if it is no such URL."""
    parts = urlsplit(url.lower())
    beside = parts.path not in {"", "/"} or parts.query or parts.fragment or parts.username
    if parts.scheme not in _DEFAULT_PORTS or beside or "%" in parts.netloc or parts.port == 0:
        raise ValueError
    port = f":{parts.port}" if parts.port not in {None, _DEFAULT_PORTS[parts.scheme]} else ""
    return f"{parts.scheme}://{_host(parts)}{port}"


def is_loopback(url: str) -> bool:
    """Return whether the URL names this machine only."""
    return urlsplit(url).hostname in _LOOPBACK_HOSTS


def networks(listed: str) -> tuple[Network, ...]:
    """Return the networks, which commas separate.

    Raises `ValueError` for what is none, and for one that holds every address.
    """
    found = tuple(ip_network(one.strip()) for one in listed.split(",") if one.strip())
    if any(network.prefixlen == 0 for network in found):
        raise ValueError
    return found


def _host(parts: SplitResult) -> str:
    name = parts.hostname or ""
    if ":" in name:
        return f"[{IPv6Address(name)}]"
    if name.rpartition(".")[2].isdecimal():
        return str(IPv4Address(name))
    if not _HOST_NAME.fullmatch(name):
        raise ValueError
    return name
