"""Groups of processes with a share of CPU, by the kernel's control groups of version 1 or 2."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
PERIOD = 20_000  # microseconds: short, so that an answer isn't held up for long


@dataclass(frozen=True)
class Group:
    folder: Path

    @property
    def enter(self) -> tuple[str, ...]:
        """The command that runs another command in this group."""
        return ("sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', str(self.folder))

    def limit(self, cpus: float) -> None:
        """Give the group this share of a CPU: no more by a quota, and no less beside other processes by its weight."""
        quota = round(PERIOD * cpus)
        if (latest := self.folder / "cpu.max").exists():
            latest.write_text(f"{quota} {PERIOD}")
            (self.folder / "cpu.weight").write_text("10000")
        else:
            (self.folder / "cpu.cfs_period_us").write_text(str(PERIOD))
            (self.folder / "cpu.cfs_quota_us").write_text(str(quota))
            (self.folder / "cpu.shares").write_text("262144")


@contextmanager
def group(name: str) -> Iterator[Group]:
    """Make a group without a limit. Its processes must have ended at the end of the context."""
    version_1 = ROOT / "cpu"
    if not version_1.exists():
        (ROOT / "cgroup.subtree_control").write_text("+cpu")
    folder = (version_1 if version_1.exists() else ROOT) / name
    folder.mkdir()
    try:
        yield Group(folder)
    finally:
        folder.rmdir()
