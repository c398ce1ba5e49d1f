"""`make release`: store the databases and the schema of this version in `releases/<version>/`, for later versions."""

import asyncio
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from testbed.postgres import postgres
from tests.releases.kept import RELEASES, ROOT, keep, obstacles

if __name__ == "__main__":
    number = version("mainsheet")
    if found := obstacles(number, (ROOT / "CHANGELOG.md").read_text("utf-8")):
        sys.exit("\n".join(found))
    with tempfile.TemporaryDirectory() as scratch, postgres() as running:
        asyncio.run(keep(RELEASES / number, Path(scratch), running))
    sys.stdout.write(f"Stored the databases and the schema of {number} in {RELEASES / number}.\n")
