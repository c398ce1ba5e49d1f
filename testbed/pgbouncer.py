"""PgBouncer in transaction mode, in a temporary folder, on a Unix socket."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import make_url

from testbed.programs import installed, running

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
"""


@contextmanager
def pgbouncer(postgres_url: str, pattern: str = SETTINGS) -> Iterator[str]:
    """Yield the URL of the database through a new pooler, which `pattern` configures."""
    url = make_url(postgres_url)
    with tempfile.TemporaryDirectory(prefix="mainsheet-pgbouncer-") as name:
        folder = Path(name)
        settings = folder / "pgbouncer.ini"
        settings.write_text(pattern.format(host=url.query["host"], port=PORT, folder=folder))
        with running([installed("pgbouncer"), settings], folder, b"process up"):
            yield url.set(query={"host": name, "port": str(PORT)}).render_as_string(hide_password=False)
