from collections.abc import Iterator
from contextlib import contextmanager

import click


@contextmanager
def file_errors() -> Iterator[None]:
    """Turn errors of files, such as a missing folder or a full disk, into one line."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise click.ClickException(f"{error.filename}: {reason}" if error.filename else reason) from None
