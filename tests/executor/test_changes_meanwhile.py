"""Objects that others change while an operation waits: each value stays with the object that it was read from."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
import strawberry
from graphql import OperationDefinitionNode, parse

from mainsheet.executor import RELATION, Executor, Outcome, Prepared, Request, core_schema, turns
from tests.executor.specification.relation import Context, Relation


@dataclass
class Gate:
    """Holds a batch until the test has changed something."""

    reached: asyncio.Event = field(default_factory=asyncio.Event)
    opened: asyncio.Event = field(default_factory=asyncio.Event)


async def slowly(store: Mapping[str, Any], keys: Sequence[str]) -> Mapping[str, Any]:
    gate: Gate = store["gate"]
    gate.reached.set()
    await gate.opened.wait()
    return {key: SimpleNamespace(name=f"team {key}") for key in keys}


class Shared(Relation):
    """Returns a mapping that others have too."""

    async def answers(self, context: Any, *_: Any, **__: Any) -> Any:
        return context.store


@strawberry.type
class Team:
    name: str


@strawberry.type
class Author:
    name: str
    team: Team | None = strawberry.field(metadata={RELATION: Relation(slowly, "team_id")})


@strawberry.type
class Book:
    title: str
    author: Author


@strawberry.type
class Loan:
    book: Book | None = strawberry.field(metadata={RELATION: Shared(slowly, "book_id")})


@strawberry.type
class Library:
    books: list[Book]
    loans: list[Loan]


API = strawberry.Schema(Library)
NAMES = ("Ada", "Bob", "Cyd")
EXPECTED = [{"title": f"by {name}", "author": {"name": name, "team": {"name": f"team {name}"}}} for name in NAMES]
SELECTION = "{ title author { name team { name } } }"


def book(name: str) -> Any:
    return SimpleNamespace(title=f"by {name}", author=SimpleNamespace(name=name, team_id=name))


def request(text: str, root: Any, **store: Any) -> Request:
    document = parse(text)
    (operation,) = document.definitions
    assert isinstance(operation, OperationDefinitionNode)
    return Request(Prepared(core_schema(API), document, operation), None, Context(store), root)


async def executed_while(change: Any, given: Request) -> Any:
    """Return the data of an operation during which `change` is called when its batch waits."""
    outcomes: list[Outcome] = []
    running = asyncio.create_task(Executor(API, observe=outcomes.append, believes_rows=True).execute(given))
    gate: Gate = given.context.store["gate"]
    await gate.reached.wait()
    change()
    gate.opened.set()
    result = await running
    assert result.errors is None
    assert outcomes == [Outcome.COMPILED]
    return result.data


async def test_a_list_that_changes_while_a_batch_waits() -> None:
    books = [book(name) for name in NAMES]
    given = request(f"{{ books {SELECTION} }}", SimpleNamespace(books=books), gate=Gate())

    data = await executed_while(lambda: books.pop(0), given)

    assert data == {"books": EXPECTED}


async def test_results_that_change_while_a_batch_waits() -> None:
    store = {name: book(name) for name in NAMES}
    loans = [SimpleNamespace(book_id=name) for name in NAMES]
    given = request(f"{{ loans {{ book {SELECTION} }} }}", SimpleNamespace(loans=loans), gate=Gate(), **store)

    data = await executed_while(lambda: given.context.store.pop("Ada"), given)

    assert data == {"loans": [{"book": each} for each in EXPECTED]}


async def test_a_list_that_changes_between_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "SLICE", 0)
    titles = [f"{number} {'x' * 1_000}" for number in range(200)]
    books = [SimpleNamespace(title=title) for title in titles]
    given = request("{ books { title } }", SimpleNamespace(books=books))

    running = asyncio.create_task(Executor(API, believes_rows=True).execute(given))
    while not running.done():
        books.insert(0, SimpleNamespace(title="new"))
        await asyncio.sleep(0)

    data = running.result().data
    assert data is not None
    assert [each["title"] for each in data["books"]][-200:] == titles
    assert len(data["books"]) == 201  # with the book that was inserted before it began
