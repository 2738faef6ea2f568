"""Where a request comes from: what trusted proxies say of it, and nothing else."""

from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carechat.api import proxies

PROXY = "10.0.0.1"
TRUSTED = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))

addresses = st.ip_addresses()
strangers = addresses.filter(
    lambda one: not any((proxies.address(str(one)) or one) in network for network in TRUSTED)
)
friends = st.one_of(st.ip_addresses(network="10.0.0.0/8"), st.ip_addresses(network="fd00::/8"))


@st.composite
def written(draw: st.DrawFn, one: st.SearchStrategy[IPv4Address | IPv6Address]) -> tuple[str, str]:
    """An address as it is, and as a proxy may write it."""
    address = draw(one)
    port = draw(st.one_of(st.just(""), st.integers(1, 65535).map(lambda port: f":{port}")))
    host = f"[{address}]" if address.version == 6 and (port or draw(st.booleans())) else address
    return str(proxies.address(str(address))), draw(st.sampled_from(["", " "])) + f"{host}{port} "


@given(st.text(), st.lists(st.text()))
def test_without_a_trusted_proxy_the_header_is_nothing(peer: str, forwarded: list[str]) -> None:
    assert proxies.address(proxies.client(peer, forwarded, ())) == proxies.address(peer)


@given(addresses, st.lists(st.text()))
def test_from_anybody_else_the_header_is_nothing(
    peer: IPv4Address | IPv6Address, forwarded: list[str]
) -> None:
    none = (ip_network("192.0.2.1"),)
    if peer not in none[0]:
        believed = proxies.client(str(peer), forwarded, none)
        assert proxies.address(believed) == proxies.address(str(peer))


@given(
    st.lists(st.text(), max_size=5),
    written(strangers),
    st.lists(written(friends), max_size=proxies.MAX_HOPS - 1),
)
def test_the_last_one_that_is_not_trusted_asks_whatever_it_claims(
    claimed: list[str], asking: tuple[str, str], between: list[tuple[str, str]]
) -> None:
    hops = [*claimed, asking[1], *(form for _, form in between)]
    assert proxies.client(PROXY, [",".join(hops)], TRUSTED) == asking[0]


@given(st.lists(written(addresses), min_size=1, max_size=12), st.data())
def test_several_headers_are_one_list(hops: list[tuple[str, str]], data: st.DataObject) -> None:
    forms = [form for _, form in hops]
    cut = data.draw(st.integers(1, len(forms)))
    parts = [",".join(part) for part in (forms[:cut], forms[cut:]) if part]
    assert proxies.client(PROXY, parts, TRUSTED) == proxies.client(
        PROXY, [",".join(forms)], TRUSTED
    )


@given(st.lists(st.text()))
def test_who_is_believed_stands_in_the_header_or_has_connected(forwarded: list[str]) -> None:
    believed = proxies.client(PROXY, forwarded, TRUSTED)
    named = {str(proxies.address(hop)) for hop in ",".join(forwarded).split(",")}
    assert believed in {PROXY, *named}


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ([], PROXY),
        ([""], PROXY),
        (["unknown"], PROXY),
        (["192.0.2.7, unknown"], PROXY),
        (["192.0.2.7, unknown, 10.0.0.9"], "10.0.0.9"),
        (["192.0.2.7"], "192.0.2.7"),
        (["192.0.2.7:4711"], "192.0.2.7"),
        (["[2001:db8::7]:4711"], "2001:db8::7"),
        (["::ffff:192.0.2.7"], "192.0.2.7"),
        (["198.51.100.1, 192.0.2.7"], "192.0.2.7"),
        (["198.51.100.1", "192.0.2.7, 10.0.0.2"], "192.0.2.7"),
        (["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        (["1.2.3.4" + ", 10.0.0.2" * 5_000], "10.0.0.2"),
    ],
)
def test_what_a_trusted_proxy_says(forwarded: list[str], client: str) -> None:
    assert proxies.client(PROXY, forwarded, TRUSTED) == client


def test_an_address_in_another_spelling_is_the_same_proxy() -> None:
    assert proxies.client("::ffff:10.0.0.1", ["192.0.2.7"], TRUSTED) == "192.0.2.7"
