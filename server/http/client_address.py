"""The address of a request's client, and how limits group addresses."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from aiohttp import web

Network = IPv4Network | IPv6Network
FORWARDED_FOR = "X-Forwarded-For"
UNIX = "unix"  # the address of all clients of a Unix domain socket
IPV6_CUSTOMER_BITS = 64  # what a provider gives to one customer at least


@dataclass(frozen=True)
class Clients:
    """Finds client addresses. `X-Forwarded-For` counts only if a trusted proxy sent it.

    What connects to a Unix domain socket is a trusted proxy: the socket's file mode says who may.
    """

    proxies: tuple[Network, ...] = ()

    def address(self, request: web.BaseRequest) -> str:
        peer = peer_address(request.remote)
        if not self.is_proxy(peer):
            return peer
        return self._forwarded(peer, ",".join(request.headers.getall(FORWARDED_FOR, ())).split(","))

    def is_proxy(self, address: str) -> bool:
        if address == UNIX or not self.proxies:
            return address == UNIX
        parsed = parse(address)
        return parsed is not None and any(parsed in network for network in self.proxies)

    def _forwarded(self, peer: str, hops: Sequence[str]) -> str:
        """Follow the hops backwards, as long as each was added by a trusted proxy."""
        client = peer
        for hop in reversed(hops):
            parsed = parse(hop.strip())
            if parsed is None:
                break
            client = str(parsed)
            if not self.is_proxy(client):
                break
        return client


def peer_address(name: object) -> str:
    """Return the address in a peer's name as transports have it: (address, port, …), or "" for a Unix domain socket."""
    if isinstance(name, tuple):
        return str(name[0])
    return UNIX if name == "" else str(name or "")


def parse(text: str) -> IPv4Address | IPv6Address | None:
    """Parse an address, which some proxies send in brackets or with a port. IPv4-mapped IPv6 ones become IPv4 ones."""
    for candidate in (text.strip("[]"), text.rpartition(":")[0].strip("[]")):
        try:
            address = ip_address(candidate)
        except ValueError:
            continue
        mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
        return mapped or address
    return None


@lru_cache(maxsize=10_000)
def group(address: str) -> str:
    """Return the key by which limits count a client: an IPv4 address, or the /64 network of an IPv6 address."""
    parsed = parse(address)
    if isinstance(parsed, IPv6Address):
        return str(ip_network((int(parsed), IPV6_CUSTOMER_BITS), strict=False))
    return str(parsed) if parsed else address
