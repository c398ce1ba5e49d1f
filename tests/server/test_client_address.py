from ipaddress import ip_network

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from mainsheet.server.http.client_address import Clients, group

PROXIES = Clients((ip_network("10.0.0.0/8"), ip_network("fd00::/8")))


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.1", (), "203.0.113.1"),
        ("203.0.113.1", ("198.51.100.7",), "203.0.113.1"),  # not a proxy of ours
        ("10.0.0.1", (), "10.0.0.1"),
        ("10.0.0.1", ("198.51.100.7",), "198.51.100.7"),
        ("::ffff:10.0.0.1", ("198.51.100.7",), "198.51.100.7"),
        ("fd00::1", ("2001:db8::7",), "2001:db8::7"),
        ("10.0.0.1", ("6.6.6.6, 198.51.100.7, 10.0.0.2",), "198.51.100.7"),
        ("10.0.0.1", ("6.6.6.6", "198.51.100.7"), "198.51.100.7"),
        ("10.0.0.1", ("6.6.6.6, nonsense",), "10.0.0.1"),
        ("10.0.0.1", ("6.6.6.6, nonsense, 10.0.0.2",), "10.0.0.2"),
        ("10.0.0.1", ("10.0.0.3, 10.0.0.2",), "10.0.0.3"),
        ("10.0.0.1", ("198.51.100.7:4711",), "198.51.100.7"),
        ("10.0.0.1", ("[2001:db8::7]:4711",), "2001:db8::7"),
        ("10.0.0.1", ("[2001:db8::7]",), "2001:db8::7"),
        ("10.0.0.1", ("",), "10.0.0.1"),
        ("10.0.0.1", ("," * 8_000,), "10.0.0.1"),
        ("10.0.0.1", ("unix",), "10.0.0.1"),
        ("", ("198.51.100.7",), "198.51.100.7"),  # by a Unix domain socket
        ("", ("6.6.6.6, 198.51.100.7, 10.0.0.2",), "198.51.100.7"),
        ("", (), "unix"),
    ],
)
def test_only_trusted_proxies_set_the_client_address(peer: str, forwarded: tuple[str, ...], client: str) -> None:
    headers = CIMultiDict(("X-Forwarded-For", each) for each in forwarded)
    request = make_mocked_request("GET", "/", headers).clone(remote=peer)

    assert PROXIES.address(request) == client


def test_without_proxies_forwarded_headers_are_ignored() -> None:
    request = make_mocked_request("GET", "/", {"X-Forwarded-For": "6.6.6.6"}).clone(remote="10.0.0.1")

    assert Clients().address(request) == "10.0.0.1"


@pytest.mark.parametrize(
    ("address", "grouped"),
    [
        ("203.0.113.1", "203.0.113.1"),
        ("::ffff:203.0.113.1", "203.0.113.1"),
        ("2001:db8:0:1:2:3:4:5", "2001:db8:0:1::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_limits_count_an_ipv6_network_as_one_client(address: str, grouped: str) -> None:
    assert group(address) == grouped
