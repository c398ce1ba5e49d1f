"""To which addresses webhooks may send."""

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from aiohttp.connector import AddrInfoType

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

GLOBAL_UNICAST = ip_network("2000::/3")
# `is_global` is true for these. The IPv6 ones hold or lead to an IPv4 address, or are for documentation.
NOT_PUBLIC: Sequence[Network] = (
    ip_network("168.63.129.16/32"),  # metadata of virtual machines on Azure
    ip_network("192.0.0.0/24"),  # metadata on Oracle Cloud; older versions of Python take it for global
    ip_network("192.88.99.0/24"),  # 6to4 relays
    ip_network("2001::/32"),  # Teredo
    ip_network("2002::/16"),  # 6to4
    ip_network("3fff::/20"),
)


class AddressNotAllowed(OSError):
    """The host has an address to which nothing may be sent."""


@dataclass(frozen=True)
class AddressRule:
    """Allows the given networks and, if `public` is set, all public addresses."""

    networks: Sequence[Network]
    public: bool

    def allows(self, address: Address) -> bool:
        if isinstance(address, IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        return any(address in network for network in self.networks) or (self.public and _is_public(address))

    def socket(self, info: AddrInfoType) -> socket.socket:
        """Make the socket for a connection to an address, which is checked here, right before it is used.

        Names are resolved before, at each connection; addresses in URLs come here, too. Raises `AddressNotAllowed`.
        """
        family, kind, protocol, _, address = info
        if not self.allows(ip_address(str(address[0]).partition("%")[0])):
            raise AddressNotAllowed("address not allowed")
        return socket.socket(family, kind, protocol)


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address) and address not in GLOBAL_UNICAST:  # NAT64 is outside of it
        return False
    return address.is_global and not address.is_multicast and not any(address in each for each in NOT_PUBLIC)
