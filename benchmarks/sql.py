"""`python -m benchmarks sql`: what an operation costs beyond its own SQL.

Each operation runs whole, and then its statements alone, on the same connections and in turn: the ratio is what
parsing, resolving and answering cost on top of the database. The machine's noise hits both alike.
"""

import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sqlalchemy import event, select
from sqlalchemy.ext.asyncio import AsyncSession

from benchmarks.operations import DASHBOARD, DEPTHS, LIMITS, NESTED, POINT
from models.database import Database
from models.demo import seed_demo, seed_jobs
from models.member import Member
from models.migrate import upgrade
from resolvers.caller import Caller
from schema.api import api
from schema.context import Context

QUICK_ROUNDS, ROUNDS = 5, 25
JOBS = 1_000
MEMBER = "contributor@harbor.example"
OPERATIONS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "point": (POINT, {"key": "daily-sales-etl"}),
    "dashboard of 100": (DASHBOARD, LIMITS),
    "nested 3 x 20 x 5": (NESTED, DEPTHS),
}

Statements = list[tuple[str, Any]]


async def main(*, quick: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = Database.open(f"sqlite:///{folder}/bench.sqlite3")
        try:
            await upgrade(database)
            await seed_demo(database)
            await seed_jobs(database, JOBS, 1, lambda _done: None)
            await measure(database, QUICK_ROUNDS if quick else ROUNDS)
        finally:
            await database.close()


async def measure(database: Database, rounds: int) -> None:
    caller = await member(database)
    print(f"SQLite, {JOBS} jobs, median of {rounds} rounds\n")
    print("| operation | statements | whole, ms | its SQL alone, ms | ratio |\n|---|---|---|---|---|")
    for name, (text, variables) in OPERATIONS.items():
        statements = await recorded(database, lambda t=text, v=variables: execute(database, caller, t, v))
        whole, alone = [], []
        for _ in range(rounds):
            whole.append(await timed(lambda t=text, v=variables: execute(database, caller, t, v)))
            alone.append(await timed(lambda s=statements: replay(database, s)))
        a, b = statistics.median(whole), statistics.median(alone)
        print(f"| {name} | {len(statements)} | {a * 1000:.1f} | {b * 1000:.1f} | {a / b:.1f} |")


async def member(database: Database) -> Caller:
    async with AsyncSession(database.reads) as session:
        row = (await session.scalars(select(Member).where(Member.email == MEMBER))).one()
        return Caller(row.id, row.organization_id, row.organization_role)


async def execute(database: Database, caller: Caller, text: str, variables: dict[str, Any]) -> None:
    context = Context(database, caller)
    result = await api.execute(text, variable_values=variables, context_value=context, root_value=caller)
    await context.close()
    if result.errors:
        raise result.errors[0]


async def replay(database: Database, statements: Statements) -> None:
    async with database.reads.connect() as connection:
        for text, parameters in statements:
            (await connection.exec_driver_sql(text, parameters)).all()


async def recorded(database: Database, run: Callable[[], Awaitable[None]]) -> Statements:
    statements: Statements = []

    def note(_connection: Any, _cursor: Any, text: str, parameters: Any, _context: Any, _many: bool) -> None:
        if not text.startswith("BEGIN"):
            statements.append((text, parameters))

    event.listen(database.reads.sync_engine, "before_cursor_execute", note)
    await run()
    event.remove(database.reads.sync_engine, "before_cursor_execute", note)
    return statements


async def timed(run: Callable[[], Awaitable[None]]) -> float:
    start = time.perf_counter()
    await run()
    return time.perf_counter() - start
