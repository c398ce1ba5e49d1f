"""Private fields are seen by resolvers, not by clients."""

from datetime import date

import strawberry

from mainsheet.executor import Outcome
from tests.executor.comparing import said
from tests.executor.strawberry_docs.api import Make


@strawberry.type
class Stringable:
    value: strawberry.Private[object]

    @strawberry.field
    def string(self) -> str:
        return str(self.value)

    @strawberry.field
    def repr(self) -> str:
        return repr(self.value)

    @strawberry.field
    def format(self, template: str) -> str:
        return template.format(my=self.value)


@strawberry.type
class Query:
    @strawberry.field
    def day(self) -> Stringable:
        return Stringable(value=date(2026, 11, 28))


async def test_resolvers_read_private_fields(schema: Make) -> None:
    text = '{ day { format(template: "{my.year}") string repr } }'
    data = {"day": {"format": "2026", "string": "2026-11-28", "repr": "datetime.date(2026, 11, 28)"}}

    await schema(Query).gives(text, data, Outcome.COMPILED)


async def test_clients_do_not_see_them(schema: Make) -> None:
    error = said("Cannot query field 'value' on type 'Stringable'.", at=(1, 9))

    await schema(Query).gives("{ day { value } }", None, None, errors=[error])
