"""A small disk that can be filled completely."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Disk:
    folder: Path

    def fill(self) -> None:
        """Fill the disk completely, also if space is freed in the meantime."""
        with (self.folder / "ballast").open("ab", buffering=0) as ballast:
            for size in (MEGABYTE, 4096, 1):
                _append(ballast.fileno(), size)

    def clear(self) -> None:
        (self.folder / "ballast").unlink()


def _append(file: int, size: int) -> None:
    try:
        while True:
            os.write(file, bytes(size))
    except OSError:
        return


@contextmanager
def small_disk(folder: Path, megabytes: int = 32) -> Iterator[Disk]:
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "mainsheet-chaos", folder], check=True)
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", folder], check=True)
