import os
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

from models import zones


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


FIRE_TIME = """
from datetime import UTC, datetime
from models.schedule import Schedule
schedule = Schedule(cron="0 12 * * *", timezone="Europe/Berlin")
print(schedule.next_fire_times(datetime(2026, 7, 1, tzinfo=UTC), 1)[0].isoformat(), *schedule.problems(()))
"""

MACHINE_OFFSET = """
from datetime import datetime
from zoneinfo import ZoneInfo
print(ZoneInfo("Europe/Berlin").utcoffset(datetime(2026, 7, 1)))
"""


def test_zones_of_the_machine_are_not_used(tmp_path: Path) -> None:
    """The machine's Berlin is Tokyo, without daylight saving."""
    (tmp_path / "Europe").mkdir()
    tokyo = files("tzdata").joinpath("zoneinfo", "Asia", "Tokyo").read_bytes()
    (tmp_path / "Europe" / "Berlin").write_bytes(tokyo)
    environment = os.environ | {"PYTHONTZPATH": str(tmp_path)}

    assert _run(MACHINE_OFFSET, environment) == "9:00:00"
    assert _run(FIRE_TIME, environment) == "2026-07-01T12:00:00+02:00"


def _run(code: str, environment: dict[str, str]) -> str:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()
