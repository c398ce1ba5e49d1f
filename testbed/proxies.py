"""Starts the proxies of `deploy/` with other addresses, timeouts and certificates."""

import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from random import SystemRandom

from testbed.programs import installed, running

RANDOM = SystemRandom()  # all workers of pytest seed the other one alike
NOT_EPHEMERAL = range(10_000, 32_768)  # of Linux, by default
DEPLOY = Path(__file__).parents[1] / "deploy"
NGINX = """
daemon off;
pid {folder}/nginx.pid;
error_log stderr notice;
events {{}}
http {{
    access_log off;
    {temporary}
    include {folder}/site.conf;
}}
"""
CADDY = """
{{
	admin off
	auto_https off
	grace_period 1s
}}
"""


@contextmanager
def nginx(folder: Path, server_port: int) -> Iterator[str]:
    address = f"127.0.0.1:{free_port()}"
    with _nginx(folder, ("listen 443", f"listen {address}"), *_servers([f"127.0.0.1:{server_port}"])):
        yield f"https://{address}"


@contextmanager
def balancer(
    folder: Path, address: str, servers: Sequence[str], read_timeout: float, enter: Sequence[str] = ()
) -> Iterator[str]:
    """Yield the URL of nginx without TLS, in front of these addresses of servers."""
    changes = (
        ("listen 443 ssl http2", f"listen {address}"),
        ("proxy_read_timeout 40s", f"proxy_read_timeout {read_timeout:g}s"),
    )
    with _nginx(folder, *changes, *_servers(servers), enter=enter):
        yield f"http://{address}/mainsheet/graphql"


def _servers(addresses: Sequence[str]) -> Iterator[tuple[str, str]]:
    one = "server 127.0.0.1:8000 max_fails=1 fail_timeout=1s;"
    yield one, "\n    ".join(one.replace("127.0.0.1:8000", each) for each in addresses)


@contextmanager
def _nginx(folder: Path, *changes: tuple[str, str], enter: Sequence[str] = ()) -> Iterator[None]:
    certificate, key = _certificate(folder)
    files = (
        ("/etc/ssl/certs/jobs.example.pem", str(certificate)),
        ("/etc/ssl/private/jobs.example.key", str(key)),
    )
    (folder / "site.conf").write_text(_changed("nginx.conf", *changes, *files))
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, temporary=temporary))
    command: Sequence[str | Path] = [installed("nginx"), "-e", "stderr", "-c", folder / "nginx.conf"]
    with running(command, folder, b"start worker process ", enter):
        yield


@contextmanager
def caddy(folder: Path, server_port: int, read_timeout: float = 40) -> Iterator[str]:
    port, (certificate, key) = free_port(), _certificate(folder)
    site = _changed(
        "Caddyfile",
        ("jobs.example {", f"https://127.0.0.1:{port} {{\n\ttls {certificate} {key}"),
        ("127.0.0.1:8000", f"127.0.0.1:{server_port}"),
        ("response_header_timeout 40s", f"response_header_timeout {read_timeout:g}s"),
    )
    (folder / "Caddyfile").write_text(CADDY.format() + site)
    command: Sequence[str | Path] = [
        installed("caddy"),
        "run",
        "--adapter",
        "caddyfile",
        "--config",
        folder / "Caddyfile",
    ]
    with running(command, folder, b"serving initial configuration"):
        yield f"https://127.0.0.1:{port}"


def _certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate and its key."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    make: Sequence[str | Path] = ["openssl", "req", "-x509", "-nodes", "-newkey", "rsa:2048", "-subj", "/CN=127.0.0.1"]
    name = ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*make, *name, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key


def _changed(name: str, *changes: tuple[str, str]) -> str:
    text = (DEPLOY / name).read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


def free_port() -> int:
    """Return a port that nothing uses, and that the system won't give to a connection or to a server on port 0."""
    while True:
        port = RANDOM.choice(NOT_EPHEMERAL)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
