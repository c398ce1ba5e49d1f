"""Forks a process for each command that tests run. It has imported them, which most of their start would cost."""

import json
import os
import signal
import socket
import sys
from importlib import import_module

import click

from mainsheet.server.cli import main
from mainsheet.server.process.garbage import uncollected

LONGEST = 200_000  # bytes of a request


def fork_commands(requests: socket.socket) -> None:
    """Return in the process of each command. This process ends with the one that sends requests."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # so that it needn't wait for its children
    while True:
        asked, descriptors, _, _ = socket.recv_fds(requests, LONGEST, 3)
        if not asked:
            sys.exit()
        if os.fork() == 0:
            requests.close()
            return _become(*descriptors, **json.loads(asked))
        for each in descriptors:
            os.close(each)


def _become(
    status: int,
    stdout: int,
    stderr: int,
    *,
    arguments: list[str],
    folder: str,
    environment: dict[str, str],
    ignored_signals: list[int],
) -> None:
    """Return in a process that is like a new one. Its parent writes its pid and its exit code to `status`."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if pid := os.fork():
        os.close(stdout)
        os.close(stderr)
        os.write(status, f"{pid}\n".encode())
        ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # it keeps its pid until the status is written
        assert ended
        code = ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
        os.write(status, f"{code}\n".encode())
        os._exit(0)
    os.close(status)
    for descriptor, number in ((stdout, 1), (stderr, 2)):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for each in ignored_signals:
        signal.signal(each, signal.SIG_IGN)
    sys.argv = arguments


if __name__ == "__main__":
    context = click.Context(main)
    for name in main.list_commands(context):
        main.get_command(context, name)
    with uncollected():
        import_module("mainsheet.server.commands.serving")  # which `serve` imports when it has checked its settings
    fork_commands(socket.socket(fileno=int(sys.argv[1])))
    main()
