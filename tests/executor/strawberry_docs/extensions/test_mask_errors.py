"""Errors are hidden from the client, all of them or those that a function selects."""

from typing import Any

import pytest
import strawberry
from graphql import GraphQLError
from strawberry.extensions import MaskErrors

from mainsheet.executor import Outcome
from tests.executor.comparing import said
from tests.executor.strawberry_docs.api import Make


class VisibleError(Exception):
    pass


@strawberry.type
class Query:
    @strawberry.field
    def hidden_error(self) -> str | None:
        raise KeyError("This error will not be visible")

    @strawberry.field
    def visible_error(self, info: strawberry.Info) -> str | None:
        raise VisibleError("This error will be visible")

    @strawberry.field
    def fine(self) -> str:
        return "fine"


def should_mask_error(error: GraphQLError) -> bool:
    return not isinstance(error.original_error, VisibleError)


async def test_errors_are_masked(schema: Make) -> None:
    await schema(Query, extensions=[MaskErrors]).gives(
        "{ fine hiddenError }",
        {"fine": "fine", "hiddenError": None},
        Outcome.RECOVERED,
        errors=[said("Unexpected error.", "hiddenError", at=(1, 8))],
    )


async def test_some_errors_are_masked_with_a_message(schema: Make) -> None:
    extensions = [lambda: MaskErrors(should_mask_error=should_mask_error, error_message="Very sorry about that.")]
    errors = [
        said("Very sorry about that.", "hiddenError", at=(1, 3)),
        said("This error will be visible", "visibleError", at=(1, 15)),
    ]

    await schema(Query, extensions=extensions).gives(
        "{ hiddenError visibleError }",
        {"hiddenError": None, "visibleError": None},
        Outcome.REPLAYED,
        errors=errors,
    )


async def test_the_log_has_the_original_error(schema: Make, caplog: pytest.LogCaptureFixture) -> None:
    await schema(Query, extensions=[MaskErrors]).result("{ hiddenError }")

    infos: list[Any] = [record.exc_info for record in caplog.records]
    assert [repr(info[1]) for info in infos] == ["KeyError('This error will not be visible')"]
