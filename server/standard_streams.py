"""The standard streams of a command: none is closed, and a failure to write the output is its own error."""

import io
import os
import sys
from typing import Any

import click


def open_standard_streams() -> None:
    """Open the closed ones as /dev/null, and let the output raise its own errors.

    Else an event loop or a database would get the number of a closed one, and libuv ends a process that closes it.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, _nothing(mode))
    if sys.stdout is sys.__stdout__ and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout = _guarded(sys.stdout)


def _nothing(mode: str) -> Any:
    """Open /dev/null as the lowest free number, also for the processes that this one starts."""
    stream = open(os.devnull, mode, encoding="utf-8")  # noqa: PTH123, SIM115 it is for the whole process
    os.set_inheritable(stream.fileno(), True)
    return stream


def _guarded(stdout: io.TextIOWrapper) -> io.TextIOWrapper:
    return io.TextIOWrapper(
        io.BufferedWriter(_Output(stdout.fileno(), "wb", closefd=False)),
        encoding=stdout.encoding,
        errors=stdout.errors,
        line_buffering=stdout.line_buffering,
        write_through=stdout.write_through,
    )


class _Output(io.FileIO):
    """Raises errors of click, which nothing takes for failures of a database or file, and drops what comes after."""

    _has_failed = False

    def write(self, data: Any) -> int:
        if self._has_failed:
            return len(data)
        try:
            return super().write(data)
        except OSError as error:
            self._has_failed = True
            if isinstance(error, BrokenPipeError):  # as with `| head`
                raise click.exceptions.Exit(1) from None
            raise click.ClickException(f"The output can't be written: {error.strerror}") from None
