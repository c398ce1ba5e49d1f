"""`make release`: store the databases, the schema and the wheel of this version in `releases/<version>/`."""

import asyncio
import sys
from importlib.metadata import version
from pathlib import Path

from testbed.postgres import postgres
from tests.releases.kept import RELEASES, ROOT, obstacles, store

if __name__ == "__main__":
    number = version("mainsheet")
    if found := obstacles(number, (ROOT / "CHANGELOG.md").read_text("utf-8")):
        sys.exit("\n".join(found))
    with postgres() as running:
        asyncio.run(store(number, Path(sys.argv[1]), running))
    sys.stdout.write(f"Stored the databases, the schema and the wheel of {number} in {RELEASES / number}.\n")
