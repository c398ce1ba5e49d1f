import subprocess
import sys

import pytest

from mainsheet.server.process.listening import OTHER_FILES

ROOM = """
import resource
from mainsheet.server.process.listening import room_for
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
print(room_for({connections}), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""


@pytest.mark.parametrize(
    ("soft", "hard", "connections", "room", "raised_to"),
    [
        (1_000, 1_000, 500, 500, 1_000),
        (256, 4_000, 2_000, 2_000, 2_000 + OTHER_FILES),
        (256, 1_000, 2_000, 1_000 - OTHER_FILES, 1_000),
        (64, 64, 2_000, 1, 64),
    ],
)
def test_the_open_files_limit_bounds_connections(
    soft: int, hard: int, connections: int, room: int, raised_to: int
) -> None:
    code = ROOM.format(soft=soft, hard=hard, connections=connections)

    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert printed.split() == [str(room), str(raised_to), str(hard)]
