"""Starts the proxies of `deploy/` as they are there, but for ports and certificates."""

import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from testbed.postgres import UNPRIVILEGED

DEPLOY = Path(__file__).parents[2] / "deploy"
SECONDS_TO_START = 30
SECONDS_TO_STOP = 10
NGINX = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
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
	skip_install_trust
	auto_https disable_redirects
	grace_period 1s
	storage file_system {folder}/storage
}}
"""


def installed(name: str) -> str:
    """Return the program's path. Skip the test where it is missing; in CI fail it."""
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    if path is None:
        (pytest.fail if "CI" in os.environ else pytest.skip)(f"{name} isn't installed: Debian has it")
    return path


@contextmanager
def nginx(folder: Path, server_port: int) -> Iterator[str]:
    port, key, certificate = _free_port(), folder / "key.pem", folder / "certificate.pem"
    make: Sequence[str | Path] = ["openssl", "req", "-x509", "-nodes", "-newkey", "rsa:2048", "-subj", "/CN=jobs"]
    subprocess.run([*make, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    site = _changed(
        "nginx.conf",
        ("listen 443", f"listen 127.0.0.1:{port}"),
        ("127.0.0.1:8000", f"127.0.0.1:{server_port}"),
        ("/etc/ssl/certs/jobs.example.pem", str(certificate)),
        ("/etc/ssl/private/jobs.example.key", str(key)),
    )
    (folder / "site.conf").write_text(site)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, temporary=temporary))
    command = [installed("nginx"), "-e", f"{folder}/error.log", "-c", f"{folder}/nginx.conf"]
    with _running(command, folder, port):
        yield f"https://127.0.0.1:{port}"


@contextmanager
def caddy(folder: Path, server_port: int) -> Iterator[str]:
    port = _free_port()
    site = _changed(
        "Caddyfile",
        ("jobs.example {", f"https://localhost:{port} {{\n\ttls internal"),
        ("127.0.0.1:8000", f"127.0.0.1:{server_port}"),
    )
    (folder / "Caddyfile").write_text(CADDY.format(folder=folder) + site)
    command = [installed("caddy"), "run", "--adapter", "caddyfile", "--config", f"{folder}/Caddyfile"]
    with _running(command, folder, port):
        yield f"https://localhost:{port}"


def _changed(name: str, *changes: tuple[str, str]) -> str:
    text = (DEPLOY / name).read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@contextmanager
def _running(command: Sequence[str], folder: Path, port: int) -> Iterator[None]:
    user = None if os.geteuid() else UNPRIVILEGED
    if user:
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, user)
    environment = {"HOME": str(folder), "PATH": os.environ["PATH"]}
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(command, env=environment, stdout=log, stderr=log, user=user) as process,
    ):
        try:
            _wait(process, folder, port)
            yield
        finally:
            process.terminate()
            try:
                process.wait(SECONDS_TO_STOP)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait(process: subprocess.Popen[bytes], folder: Path, port: int) -> None:
    """Wait for a TLS handshake: Caddy makes its certificate after it listens."""
    tls = ssl.create_default_context()
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    end = time.monotonic() + SECONDS_TO_START
    while process.poll() is None and time.monotonic() < end:
        try:
            with socket.create_connection(("127.0.0.1", port)) as raw:
                tls.wrap_socket(raw, server_hostname="localhost").close()
        except OSError:  # an error of TLS is one
            time.sleep(0.02)
        else:
            return
    raise RuntimeError((folder / "log").read_text())
