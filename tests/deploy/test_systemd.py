"""The systemd units are valid, and the one for backups makes one."""

import os
import re
import shlex
import subprocess
from datetime import timedelta
from pathlib import Path
from time import time

from testbed.programs import installed
from testbed.proxies import DEPLOY
from tests.server.commands import MAINSHEET, clean
from tests.server.test_backup import PATH

PROGRAM, BACKUPS = "/opt/mainsheet/bin/mainsheet", "/var/lib/mainsheet-backups"


def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    command = tmp_path / "mainsheet"
    command.write_text("#!/bin/sh\n")
    command.chmod(0o755)
    names = ("mainsheet.service", "mainsheet-backup.service", "mainsheet-backup.timer")
    for name in names:
        (tmp_path / name).write_text((DEPLOY / name).read_text().replace(PROGRAM, str(command)))
    verify = [installed("systemd-analyze"), "verify", "--man=no", *(str(tmp_path / name) for name in names)]

    result = subprocess.run(verify, capture_output=True, text=True, check=False)

    assert (result.returncode, [line for line in result.stderr.splitlines() if "mainsheet" in line]) == (0, [])


def made_days_ago(folder: Path, days: int) -> Path:
    file = folder / f"{days} days old"
    file.touch()
    then = time() - timedelta(days=days).total_seconds()
    os.utime(file, (then, then))
    return file


def test_the_unit_for_backups_makes_one_and_deletes_old_ones(database_url: str, tmp_path: Path) -> None:
    unit = (DEPLOY / "mainsheet-backup.service").read_text()
    steps = re.findall(r"^ExecStart(?:Post)?=(.+)$", unit, re.MULTILINE)
    folder = tmp_path / "backups"
    folder.mkdir()
    kept, deleted = (made_days_ago(folder, days) for days in (13, 16))
    environment = clean({"MAINSHEET_DATABASE_URL": database_url, "PATH": PATH})
    assert len(steps) == 2

    for step in steps:
        command = step.replace("%%", "%").replace(PROGRAM, MAINSHEET).replace(BACKUPS, str(folder))
        subprocess.run(shlex.split(command), env=environment, check=True)

    assert not deleted.exists()
    (backup,) = set(folder.iterdir()) - {kept}
    assert kept.exists()
    assert re.fullmatch(r"\d{8}T\d{6}Z", backup.name)
    assert backup.stat().st_size > 0
