"""Time zones of the pinned `tzdata` package. The system's own files differ between machines."""

from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

TZDATA = files("tzdata")


@cache
def names() -> frozenset[str]:
    return frozenset(TZDATA.joinpath("zones").read_text("ascii").split())


@cache  # one entry for each name
def zone(name: str) -> ZoneInfo:
    """Return a zone by its name. Raises `KeyError` if there is none."""
    if name not in names():
        raise KeyError(name)
    with TZDATA.joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)
