"""Unix domain sockets to listen on."""

import errno
import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NOBODY_LISTENS = {errno.ECONNREFUSED, errno.ENOENT}
SOMEBODY_LISTENS = {0, errno.EAGAIN, errno.EINPROGRESS}


def bound(path: Path, mode: int, backlog: int) -> socket.socket:
    """Listen at the path, in the place of a socket whose server has ended. Raises `OSError` if another server listens.

    The socket gets its path when it listens and has its mode, so that no client finds it earlier.
    """
    with _locked(path.parent):
        _refuse_other(path)
        return _replacing(path, mode, backlog)


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Let servers that start at the same time look for another one and replace its socket in turn."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _replacing(path: Path, mode: int, backlog: int) -> socket.socket:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    listening = socket.socket(socket.AF_UNIX)
    temporary.unlink(missing_ok=True)  # of a server that crashed with the same process id, as in containers
    try:
        listening.bind(str(temporary))
        temporary.chmod(mode)
        listening.listen(backlog)
        listening.setblocking(False)
        temporary.replace(path)
    except BaseException:
        listening.close()
        temporary.unlink(missing_ok=True)
        raise
    return listening


def _refuse_other(path: Path) -> None:
    if path.exists() and not path.is_socket():
        raise FileExistsError("there is another file, which is no socket")
    with socket.socket(socket.AF_UNIX) as client:
        client.setblocking(False)
        code = client.connect_ex(str(path))
    if code in SOMEBODY_LISTENS:
        raise OSError("a server listens there already")
    if code not in NOBODY_LISTENS:
        raise OSError(code, os.strerror(code))
