"""The statements that a database receives."""

from dataclasses import dataclass, field

from mainsheet.models.database import Database
from mainsheet.models.instrumentation import Instrumentation


@dataclass(eq=False)
class Statements(Instrumentation):
    sent: list[str] = field(default_factory=list)

    def statement(self, sql: str, seconds: float) -> None:  # noqa: ARG002 as declared
        self.sent.append(sql)


def statements_of(database: Database) -> list[str]:
    """Return a list to which each statement is added when it has ended."""
    database.instrumentation.add(statements := Statements())
    return statements.sent
