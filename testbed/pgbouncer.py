"""PgBouncer in transaction mode, in a temporary folder, on a Unix socket."""

import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Pooler:
    """A configured pooler. `url` is the database's through it."""

    folder: Path
    url: str

    def running(self) -> AbstractContextManager[None]:
        return running([installed("pgbouncer"), self.folder / "pgbouncer.ini"], self.folder, b"process up")


@contextmanager
def pgbouncer(postgres_url: str, pattern: str = SETTINGS) -> Iterator[str]:
    """Yield the URL of the database through a new pooler, which `pattern` configures."""
    with pooler(postgres_url, pattern) as made, made.running():
        yield made.url


@contextmanager
def pooler(postgres_url: str, pattern: str = SETTINGS) -> Iterator[Pooler]:
    """Yield a pooler that doesn't run yet."""
    url = make_url(postgres_url)
    with tempfile.TemporaryDirectory(prefix="mainsheet-pgbouncer-") as name:
        folder = Path(name)
        settings = pattern.format(host=url.query["host"], port=PORT, folder=folder)
        (folder / "pgbouncer.ini").write_text(settings)
        pooled = url.set(query={"host": name, "port": str(PORT)}).render_as_string(hide_password=False)
        yield Pooler(folder, pooled)
