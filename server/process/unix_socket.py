"""Unix domain sockets to listen on."""

import errno
import os
import socket
from pathlib import Path

NOBODY_LISTENS = {errno.ECONNREFUSED, errno.ENOENT}


def bound(path: Path, mode: int, backlog: int) -> socket.socket:
    """Listen at the path, in the place of a socket whose server has ended. Raises `OSError` if another server listens.

    The socket gets its path when it listens and has its mode, so that no client finds it earlier.
    """
    _refuse_other(path)
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
        if client.connect_ex(str(path)) not in NOBODY_LISTENS:
            raise OSError("a server listens there already")
