"""PgBouncer in transaction mode, from Debian's package, in a temporary folder, on a Unix socket."""

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import make_url

from testbed.postgres import UNPRIVILEGED

SECONDS_TO_START = 20
PORT = 6432
# Fewer sessions than clients have connections, so that each transaction may get another one.
SETTINGS = """
[databases]
* = host={host} port=5432 user=postgres
[pgbouncer]
listen_addr =
listen_port = {port}
unix_socket_dir = {folder}
auth_type = any
pool_mode = transaction
default_pool_size = 3
max_client_conn = 200
logfile = {folder}/log
"""


@contextmanager
def pgbouncer(program: str, postgres_url: str) -> Iterator[str]:
    """Yield the URL of the database through a new pooler."""
    url = make_url(postgres_url)
    with tempfile.TemporaryDirectory(prefix="mainsheet-pgbouncer-") as name:
        folder = Path(name)
        folder.chmod(0o777)  # the pooler refuses to run as root
        settings = folder / "pgbouncer.ini"
        settings.write_text(SETTINGS.format(host=url.query["host"], port=PORT, folder=folder))
        user = None if os.geteuid() else UNPRIVILEGED
        with subprocess.Popen([program, "-q", settings], user=user, start_new_session=True) as process:
            try:
                _wait(process, folder)
                pooled = url.set(query={"host": str(folder), "port": str(PORT)})
                yield pooled.render_as_string(hide_password=False)
            finally:
                process.kill()


def _wait(process: subprocess.Popen[bytes], folder: Path) -> None:
    end = time.monotonic() + SECONDS_TO_START
    while not (folder / f".s.PGSQL.{PORT}").exists():
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError((folder / "log").read_text() if (folder / "log").exists() else "It didn't start.")
        time.sleep(0.02)
