"""`python -m benchmarks.growth`: what an operation costs beside a thousand jobs, and beside a hundred times as many."""

import argparse
import asyncio
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from benchmarks.growth.costs import Cost, costs
from benchmarks.growth.grown import grown
from benchmarks.growth.table import table
from tests.postgres import postgres

RESULT = Path(__file__).parents[1] / "results/growth.md"
KINDS = ("SQLite", "PostgreSQL")
SETTINGS = "shared_buffers = 512MB\n"


def main() -> None:
    asked = _arguments()
    with tempfile.TemporaryDirectory(prefix="mainsheet-growth-") as folder, postgres(SETTINGS) as server:
        text = table(asyncio.run(_measured(Path(folder), server, asked.sizes, asked.rounds)))
    RESULT.write_text(text, "utf-8")
    print(f"{text}\nWritten to {RESULT}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument(
        "--sizes", type=lambda text: [int(each) for each in text.split(",")], default="1000,10000,100000"
    )
    parser.add_argument("--rounds", type=int, default=11)
    return parser.parse_args()


async def _measured(folder: Path, server: str, sizes: list[int], rounds: int) -> list[Cost]:
    async with AsyncExitStack() as stack:
        made = []
        for kind in KINDS:
            for size in sizes:
                print(f"Filling {kind} with {size:,} jobs …", flush=True)
                made.append(await stack.enter_async_context(grown(kind, size, folder, server)))
        return await costs(made, rounds)


if __name__ == "__main__":
    main()
