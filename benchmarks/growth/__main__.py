"""`python -m benchmarks.growth`: what an operation costs beside a thousand jobs, and beside a hundred times as many."""

import argparse
import asyncio
import os
import tempfile
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

from benchmarks.growth.costs import Cost, costs
from benchmarks.growth.grown import Places, grown
from benchmarks.growth.table import table
from testbed.postgres import URL_VARIABLE, postgres

RESULT = Path(__file__).parents[1] / "results/growth.md"
KINDS = ("SQLite", "PostgreSQL")
SETTINGS = "shared_buffers = 512MB\n"


def main() -> None:
    asked = _arguments()
    with _folder(asked.keep) as folder, postgres(SETTINGS) as server:
        places = Places(folder, server, is_kept=asked.keep is not None)
        text = table(asyncio.run(_measured(places, asked.kinds, asked.sizes, asked.rounds)))
    asked.result.write_text(text, "utf-8")
    print(f"{text}\nWritten to {asked.result}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument(
        "--sizes", type=lambda text: [int(each) for each in text.split(",")], default="1000,10000,100000"
    )
    parser.add_argument("--kinds", type=lambda text: text.split(","), default=",".join(KINDS), help="the databases")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument(
        "--keep",
        type=Path,
        metavar="FOLDER",
        help="keep the databases and use them again: SQLite's in the folder,"
        f" PostgreSQL's on the server that {URL_VARIABLE} names",
    )
    parser.add_argument("--result", type=Path, default=RESULT, metavar="FILE")
    asked = parser.parse_args()
    if asked.keep and URL_VARIABLE not in os.environ:
        parser.error(f"--keep needs a server that stays: name it in {URL_VARIABLE}")
    return asked


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept
        return
    with tempfile.TemporaryDirectory(prefix="mainsheet-growth-") as folder:
        yield Path(folder)


async def _measured(places: Places, kinds: list[str], sizes: list[int], rounds: int) -> list[Cost]:
    async with AsyncExitStack() as stack:
        made = []
        for kind in kinds:
            for size in sizes:
                print(f"Filling {kind} with {size:,} jobs …", flush=True)
                made.append(await stack.enter_async_context(grown(kind, size, places)))
        return await costs(made, rounds)


if __name__ == "__main__":
    main()
