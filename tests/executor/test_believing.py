"""The checks that an executor with `believes_rows` leaves out, and those it keeps."""

from typing import Any

import pytest

from mainsheet.executor import Executor, Outcome, Request
from tests.executor.specification.both import operation, validated
from tests.executor.specification.relation import Context
from tests.executor.specification.rows import Row
from tests.executor.specification.world import api

OTHER = Row(kind="Cat", string="s", name="Tom", barks=True)


async def executed(text: str, root: Row, *, believes_rows: bool) -> tuple[Any, Outcome]:
    outcomes: list[Outcome] = []
    executor = Executor(api, observe=outcomes.append, believes_rows=believes_rows)
    result = await executor.execute(Request(operation(validated(text), None), None, Context({}), root))
    return result.data, outcomes[0]


@pytest.mark.parametrize(
    ("believes_rows", "answer"),
    [(True, ({"strict": {"string": "s"}}, Outcome.COMPILED)), (False, ({"strict": None}, Outcome.REPLAYED))],
)
async def test_believed_rows_skip_is_type_of(believes_rows: bool, answer: Any) -> None:
    assert await executed("{ strict { string } }", Row(strict=OTHER), believes_rows=believes_rows) == answer


@pytest.mark.parametrize("believes_rows", [True, False])
async def test_abstract_types_call_is_type_of(believes_rows: bool) -> None:
    text = "{ animal { name ... on Dog { barks } } }"

    answer = await executed(text, Row(animal=OTHER), believes_rows=believes_rows)

    assert answer == ({"animal": {"name": "Tom"}}, Outcome.COMPILED)


@pytest.mark.parametrize("believes_rows", [True, False])
async def test_an_exception_is_no_row(believes_rows: bool) -> None:
    answer = await executed("{ thing { string } }", Row(thing=ValueError("no row")), believes_rows=believes_rows)

    assert answer == ({"thing": None}, Outcome.RECOVERED)
