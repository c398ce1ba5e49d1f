"""An operation that is executed again and again, each time on the same rows: what it changes is put back."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial

from graphql import ExecutionResult, OperationType

from mainsheet.executor import Request
from mainsheet.models.database import Database
from mainsheet.models.tables import Base
from mainsheet.schema.context import Context
from testbed.databases import connected

Run = Callable[[Request], Awaitable[ExecutionResult]]
PutBack = Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class Repeated:
    request: Request
    database: Database
    put_back: PutBack

    async def milliseconds(self, run: Run) -> float:
        """Execute it once more and return the CPU time that it took this process."""
        context = Context(self.database, self.request.root)
        own = replace(self.request, context=context)
        gc.disable()
        try:
            begun = time.process_time()
            await run(own)
            return (time.process_time() - begun) * 1000
        finally:
            gc.enable()
            await context.close()
            await self.put_back()


@asynccontextmanager
async def repeated(request: Request) -> AsyncIterator[Repeated]:
    """Execute it on connections of our own: those of a test count statements, and stop some."""
    url = request.context.database.url
    is_change = request.operation.node.operation is OperationType.MUTATION
    database = Database.open(url)
    try:
        async with _kept(url) if is_change else nullcontext(partial(asyncio.sleep, 0)) as put_back:
            yield Repeated(request, database, put_back)
    finally:
        await database.close()


@asynccontextmanager
async def _kept(postgres_url: str) -> AsyncIterator[PutBack]:
    """Copy all rows, and give what puts them back in place of those that are there then."""
    columns = {
        table.name: ", ".join(each.name for each in table.c if each.computed is None)
        for table in Base.metadata.sorted_tables
    }
    copy = [f"CREATE TEMP TABLE kept_{name} AS SELECT {each} FROM {name}" for name, each in columns.items()]
    put_back = [
        f"DELETE FROM {name}; INSERT INTO {name} ({each}) OVERRIDING SYSTEM VALUE TABLE kept_{name}"
        for name, each in columns.items()
    ]
    async with connected(postgres_url) as connection:
        await connection.execute("SET session_replication_role = replica")  # no foreign key is checked meanwhile
        await connection.execute("; ".join(copy))
        yield partial(connection.execute, "; ".join(put_back))
