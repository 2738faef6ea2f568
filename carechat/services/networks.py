"""Where people are, as far as their network addresses tell."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

Address = IPv4Address | IPv6Address

_IPV4_NETWORK_BITS = 24
_IPV6_NETWORK_BITS = 64


def address(host: str) -> Address | None:
    """Return the address; None if it is none. One of IPv4 that IPv6 writes is one of IPv4."""
    try:
        found = ip_address(host)
    except ValueError:
        return None
    return (found.ipv4_mapped if found.version == 6 else None) or found


def network(host: str) -> str:
    """Return the network of that address, as far as one household or office has it."""
    found = address(host)
    if found is None:
        return host
    bits = _IPV4_NETWORK_BITS if found.version == 4 else _IPV6_NETWORK_BITS
    return str(ip_network((found, bits), strict=False))
