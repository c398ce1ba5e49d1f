"""Files that are written as a whole, so that a full disk or a signal leaves what was there before."""

import shutil
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

from mainsheet.models.sqlite_copy import keep_owner


def write_whole(path: Path, text: str | bytes) -> None:
    """Write a file, or leave it as it was. Raises `OSError` with its path.

    It keeps its mode and owner. A symbolic link stays, and the file that it leads to is written.
    """
    target = path.resolve()
    temporary = target.with_name(f".{token_hex(8)}")  # short, so that it fits where the file's own name does
    try:
        _write(temporary, text.encode() if isinstance(text, str) else text, target)
        temporary.replace(target)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None
    finally:
        with suppress(OSError):
            temporary.unlink()


def _write(file: Path, content: bytes, target: Path) -> None:
    with file.open("xb") as opened:
        if target.exists():
            target.open("ab").close()  # raises an error if it may not be written
            keep_owner(target, file)
            shutil.copymode(target, file)
        opened.write(content)
