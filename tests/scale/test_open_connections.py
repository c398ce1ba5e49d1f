"""The check of open connections looks up each token and actor once, however many connections there are."""

from mainsheet.models.database import Database
from mainsheet.models.instrumentation import Instrumentation
from mainsheet.server.auth.last_use import LastUse
from mainsheet.server.live.validity import Validity
from testbed.world import World, caller
from tests.scale.plans import Plans


class Statements(Instrumentation):
    def __init__(self) -> None:
        self.texts: list[str] = []

    def statement(self, sql: str, seconds: float) -> None:
        self.texts.append(sql)


async def test_no_row_is_compared_with_the_tokens_of_all_connections(database: Database, world: World) -> None:
    validity = Validity(database, LastUse(database))
    statements = Statements()
    database.instrumentation.add(statements)

    with validity.watched("Bearer a.b.c", caller(world.viewer)):
        await validity.check()

    (sql,) = statements.texts
    assert "ANY" not in await Plans().of(database, sql)  # PostgreSQL compares with each element of such an array
