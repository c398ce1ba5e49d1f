"""Files that are written as a whole, so that a full disk or a signal leaves what was there before."""

import errno
import os
import shutil
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

from mainsheet.models.sqlite_copy import keep_owner

# A file can't be replaced if it is mounted alone, as in a container, or if its folder can't be written.
NOT_REPLACED = {errno.EACCES, errno.EBUSY, errno.EPERM, errno.EROFS}


def write_whole(path: Path, text: str | bytes) -> None:
    """Write a file, or leave it as it was. Raises `OSError` with its path.

    It keeps its mode and owner. A symbolic link stays, and the file that it leads to is written.
    """
    target, content = path.resolve(), text.encode() if isinstance(text, str) else text
    try:
        try:
            _replace(target, content)
        except OSError as error:
            if error.errno not in NOT_REPLACED or not target.exists():
                raise
            _overwrite(target, content)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None


def _replace(target: Path, content: bytes) -> None:
    temporary = target.with_name(f".{token_hex(8)}")  # short, so that it fits where the file's own name does
    try:
        with temporary.open("xb") as opened:
            if target.exists():
                target.open("ab").close()  # raises an error if it may not be written
                keep_owner(target, temporary)
                shutil.copymode(target, temporary)
            opened.write(content)
        temporary.replace(target)
    finally:
        with suppress(OSError):
            temporary.unlink()


def _overwrite(target: Path, content: bytes) -> None:
    """Write into the file. A full disk still leaves it as it was, a signal may not."""
    with target.open("r+b") as opened:
        before = os.fstat(opened.fileno()).st_size
        try:
            _reserve(opened.fileno(), len(content))
        except OSError:
            opened.truncate(before)
            raise
        opened.write(content)
        opened.truncate()


def _reserve(descriptor: int, size: int) -> None:
    """Let the file have room for so many bytes, where the system can. A failure may have let it grow."""
    if size and hasattr(os, "posix_fallocate"):  # macOS hasn't
        os.posix_fallocate(descriptor, 0, size)
