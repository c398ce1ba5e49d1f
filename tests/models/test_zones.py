import os
import struct
import subprocess
import sys
from datetime import UTC, datetime
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import pytest

from mainsheet.models import zones
from mainsheet.models.cron.fire_times import CORRECTION, DAY, MINUTE


def test_names_are_those_of_the_package() -> None:
    package = {str(path) for path in _paths()}

    assert zones.names() >= {"UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"}
    assert zones.names() <= package


def _paths() -> set[Path]:
    root = Path(str(files("tzdata"))) / "zoneinfo"
    return {path.relative_to(root) for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ["localtime", "Nowhere/Land", "../zones", "", "europe/berlin", "/etc/passwd"])
def test_an_unknown_name(name: str) -> None:
    with pytest.raises(KeyError):
        zones.zone(name)


def test_every_zone_can_be_read() -> None:
    assert {name: zones.zone(name).key for name in zones.names()} == {name: name for name in zones.names()}


def transitions(name: str) -> list[int]:
    """Read when the zone's clock changes, since 2000 (RFC 9636: a header, the data in 32 bits, and both in 64 bits)."""
    data = files("tzdata").joinpath("zoneinfo", *name.split("/")).read_bytes()
    utc, standard, leaps, times, types, characters = struct.unpack(">6l", data[20:44])
    second = 44 + times * 5 + types * 6 + characters + leaps * 8 + standard + utc
    times = struct.unpack(">6l", data[second + 20 : second + 44])[3]
    found = struct.unpack(f">{times}q", data[second + 44 : second + 44 + 8 * times])
    return [each for each in found if each >= datetime(1999, 12, 30, tzinfo=UTC).timestamp()]


def test_no_zone_has_two_clock_changes_within_a_search_step() -> None:
    found = [transitions(name) for name in zones.names()]

    assert max(map(len, found)) > 50
    assert min(later - earlier for each in found for earlier, later in pairwise(each)) > DAY + CORRECTION
    assert all(instant % MINUTE == 0 for each in found for instant in each)


FIRE_TIME = """
from datetime import UTC, datetime
from mainsheet.models.schedule import Schedule
schedule = Schedule(cron="0 12 * * *", timezone="Europe/Berlin")
print(schedule.next_fire_times(datetime(2026, 7, 1, tzinfo=UTC), 1)[0].isoformat(), *schedule.problems(()))
"""

MACHINE_OFFSET = """
from datetime import datetime
from zoneinfo import ZoneInfo
print(ZoneInfo("Europe/Berlin").utcoffset(datetime(2026, 7, 1)))
"""


def test_the_systems_time_zones_are_not_used(tmp_path: Path) -> None:
    """The system's Europe/Berlin is replaced by Asia/Tokyo, which has no daylight saving."""
    (tmp_path / "Europe").mkdir()
    tokyo = files("tzdata").joinpath("zoneinfo", "Asia", "Tokyo").read_bytes()
    (tmp_path / "Europe" / "Berlin").write_bytes(tokyo)
    environment = os.environ | {"PYTHONTZPATH": str(tmp_path)}

    assert _run(MACHINE_OFFSET, environment) == "9:00:00"
    assert _run(FIRE_TIME, environment) == "2026-07-01T12:00:00+02:00"


def _run(code: str, environment: dict[str, str]) -> str:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()
