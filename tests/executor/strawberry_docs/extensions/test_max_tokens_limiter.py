"""Documents with too many tokens are refused."""

import strawberry
from strawberry.extensions import MaxTokensLimiter

from mainsheet.executor import Outcome
from tests.executor.strawberry_docs.api import Make


@strawberry.type
class Query:
    @strawberry.field
    def hello(self) -> str:
        return "Hello, world!"


async def test_tokens_are_counted(schema: Make) -> None:
    api = schema(Query, extensions=[lambda: MaxTokensLimiter(max_token_count=5)])
    message = "Syntax Error: Document contains more than 5 tokens. Parsing aborted."

    result = await api.result("{ hello a: hello }")

    assert [error.message for error in result.errors] == [message]
    await api.gives("{ hello }", {"hello": "Hello, world!"}, Outcome.COMPILED)
