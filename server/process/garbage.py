"""The garbage collector of CPython, and objects that live as long as the process."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

THRESHOLDS = (50_000, 20, 100)  # of the three generations; 700, 10 and 10 by default


@contextmanager
def uncollected() -> Iterator[None]:
    """Import modules inside this context: the garbage collector doesn't look at what they make, now or later.

    Otherwise, it takes about 30 % of the CPU time of a command that does little.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def rarely_collected() -> Iterator[None]:
    """Collect garbage once, then rarely, and only of later objects: it took up to half of a server's CPU time.

    The garbage of modules that were imported `uncollected` isn't collected while serving: it is less than 1 MB, and
    finding it takes 0.1 seconds.
    """
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
