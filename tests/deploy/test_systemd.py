"""The systemd unit is valid."""

import subprocess
from pathlib import Path

from testbed.programs import installed
from tests.deploy.proxies import DEPLOY


def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    command = tmp_path / "mainsheet"
    command.write_text("#!/bin/sh\n")
    command.chmod(0o755)
    unit = tmp_path / "mainsheet.service"
    unit.write_text((DEPLOY / "mainsheet.service").read_text().replace("/opt/mainsheet/bin/mainsheet", str(command)))
    verify = [installed("systemd-analyze"), "verify", "--man=no", str(unit)]

    result = subprocess.run(verify, capture_output=True, text=True, check=False)

    assert (result.returncode, [line for line in result.stderr.splitlines() if "mainsheet" in line]) == (0, [])
