"""Hosts on this machine: network namespaces with links to a switch, which has a namespace of its own."""

import os
import pwd
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from testbed.postgres import UNPRIVILEGED
from testbed.programs import installed, not_here

# The namespace ends with its last process. This one ends with the test's process, whose end closes its input.
HOLD = ("unshare", "--net", "sh", "-c", "echo ready; cat")


@dataclass(frozen=True)
class Host:
    """Its `address`, that of the test (`gateway`), and the command that runs another command on it (`enter`)."""

    address: str
    gateway: str
    enter: tuple[str, ...]
    switch: tuple[str, ...]
    port: str  # of the switch

    @property
    def enter_unprivileged(self) -> tuple[str, ...]:
        user = pwd.getpwnam(UNPRIVILEGED)
        return (*self.enter, f"--setuid={user.pw_uid}", f"--setgid={user.pw_gid}")

    def cut_off(self) -> None:
        """Take its link down: packets to and from it are dropped without an error."""
        _run(*self.switch, installed("ip"), "link", "set", self.port, "down")

    def join(self) -> None:
        _run(*self.switch, installed("ip"), "link", "set", self.port, "up")

    def configure(self, name: str, value: int) -> None:
        """Set a parameter of the kernel's network, such as `ipv4/tcp_retries2`."""
        _run(*self.enter, "sh", "-c", f"echo {value} > /proc/sys/net/{name}")


@contextmanager
def hosts(count: int) -> Iterator[Sequence[Host]]:
    """Make so many hosts, which reach each other and the test."""
    if os.geteuid():
        not_here("only root can make network namespaces")
    ip, link = installed("ip"), f"ms{os.getpid()}"
    network = f"198.{18 + os.getpid() % 2}.{os.getpid() // 2 % 256}"  # RFC 2544: for tests between networks
    with ExitStack() as stack:
        pid, switch = stack.enter_context(_namespace())
        _run(*switch, ip, "link", "add", "switch", "type", "bridge")
        _run(*switch, ip, "link", "set", "switch", "up")
        _run(ip, "link", "add", link, "type", "veth", "peer", "name", "test", "netns", str(pid))
        stack.callback(_run, ip, "link", "delete", link)
        _plug_in(ip, switch, "test")
        _run(ip, "address", "add", f"{network}.1/24", "dev", link)
        _run(ip, "link", "set", link, "up")
        yield [stack.enter_context(_host(ip, switch, network, number)) for number in range(2, count + 2)]


@contextmanager
def _host(ip: str, switch: tuple[str, ...], network: str, number: int) -> Iterator[Host]:
    with _namespace() as (pid, enter):
        port, address = f"port{number}", f"{network}.{number}"
        cable = ("link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", str(pid))
        _run(*switch, ip, *cable)
        _plug_in(ip, switch, port)
        _run(*enter, ip, "link", "set", "lo", "up")
        _run(*enter, ip, "address", "add", f"{address}/24", "dev", "eth0")
        _run(*enter, ip, "link", "set", "eth0", "up")
        yield Host(address, f"{network}.1", enter, switch, port)


def _plug_in(ip: str, switch: tuple[str, ...], port: str) -> None:
    _run(*switch, ip, "link", "set", port, "master", "switch", "up")


@contextmanager
def _namespace() -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield the process that holds a new namespace, and the command that enters it."""
    with subprocess.Popen(HOLD, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdin
        assert holder.stdout
        if holder.stdout.readline() != b"ready\n":
            not_here("root may make no network namespace here")
        try:
            yield holder.pid, ("nsenter", f"--net=/proc/{holder.pid}/ns/net")
        finally:
            holder.stdin.close()


def _run(*command: str) -> None:
    subprocess.run(command, check=True)
