"""The connection specification with generic types of one's own."""

from base64 import b64encode
from typing import Generic, TypeVar

import pytest
import strawberry

from mainsheet.executor import Outcome
from tests.executor.strawberry_docs.api import Make

Node = TypeVar("Node")


@strawberry.type
class PageInfo:
    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@strawberry.type
class Edge(Generic[Node]):
    node: Node = strawberry.field(description="The item at the end of the edge.")
    cursor: str


@strawberry.type
class Connection(Generic[Node]):
    page_info: PageInfo
    edges: list[Edge[Node]]


@strawberry.type
class Book:
    title: str


TITLES = ["Emma", "Dune", "Ulysses"]


def cursor(title: str) -> str:
    return b64encode(f"book:{title}".encode()).decode()


@strawberry.type
class Query:
    @strawberry.field
    def books(self, first: int = 2, after: str | None = None) -> Connection[Book]:
        start = next((index + 1 for index, title in enumerate(TITLES) if cursor(title) == after), 0)
        shown = TITLES[start : start + first]
        return Connection(
            page_info=PageInfo(
                has_next_page=start + first < len(TITLES),
                has_previous_page=start > 0,
                start_cursor=cursor(shown[0]) if shown else None,
                end_cursor=cursor(shown[-1]) if shown else None,
            ),
            edges=[Edge(node=Book(title=title), cursor=cursor(title)) for title in shown],
        )


@pytest.mark.parametrize(
    ("arguments", "titles", "before", "after"),
    [
        ("(first: 2)", TITLES[:2], False, True),
        (f'(first: 2, after: "{cursor("Dune")}")', TITLES[2:], True, False),
        (f'(after: "{cursor("Ulysses")}")', [], True, False),
    ],
)
async def test_a_connection_is_paginated(
    schema: Make, arguments: str, titles: list[str], before: bool, after: bool
) -> None:
    text = f"""{{ books{arguments} {{
        __typename pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} edges {{ cursor node {{ title }} }}
    }} }}"""
    data = {
        "books": {
            "__typename": "BookConnection",
            "pageInfo": {
                "hasNextPage": after,
                "hasPreviousPage": before,
                "startCursor": cursor(titles[0]) if titles else None,
                "endCursor": cursor(titles[-1]) if titles else None,
            },
            "edges": [{"cursor": cursor(title), "node": {"title": title}} for title in titles],
        }
    }

    await schema(Query).gives(text, data, Outcome.COMPILED)
