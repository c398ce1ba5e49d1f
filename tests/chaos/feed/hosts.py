"""Hosts on this machine: network namespaces, each with a link to the test's own network."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from testbed.programs import installed, not_here

# The namespace ends with its last process. This one ends with pytest, whose end closes its input.
HOLD = ("unshare", "--net", "sh", "-c", "echo ready; cat")


@dataclass(frozen=True)
class Host:
    """Its `address`, the address by which it reaches the test (`gateway`), and how to run a command on it (`enter`)."""

    address: str
    gateway: str
    enter: tuple[str, ...]


@contextmanager
def host(number: int) -> Iterator[Host]:
    """Make a host of this number, 0 to 60, of this process."""
    if os.geteuid():
        not_here("only root can make network namespaces")
    ip = installed("ip")
    link = f"ms{os.getpid()}.{number}"
    network = f"198.{18 + os.getpid() % 2}.{os.getpid() // 2 % 256}"  # RFC 2544: for tests between networks
    gateway, address = (f"{network}.{4 * number + each}" for each in (1, 2))
    with subprocess.Popen(HOLD, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdin
        assert holder.stdout
        if holder.stdout.readline() != b"ready\n":
            not_here("root may make no network namespace here")
        enter = ("nsenter", f"--net=/proc/{holder.pid}/ns/net")
        for command in (
            (ip, "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", str(holder.pid)),
            (ip, "address", "add", f"{gateway}/30", "dev", link),
            (ip, "link", "set", link, "up"),
            (*enter, ip, "link", "set", "lo", "up"),
            (*enter, ip, "address", "add", f"{address}/30", "dev", "eth0"),
            (*enter, ip, "link", "set", "eth0", "up"),
            (*enter, ip, "route", "add", "default", "via", gateway),
        ):
            subprocess.run(command, check=True)
        try:
            yield Host(address, gateway, enter)
        finally:
            subprocess.run((ip, "link", "delete", link), check=True)
            holder.stdin.close()
