"""Connections, and the arguments that select a page of one."""

import inspect
from collections.abc import Callable
from typing import Annotated, Any, Generic, TypeVar

import strawberry

from mainsheet.resolvers.sql.pagination import paged_list
from mainsheet.resolvers.sql.pagination.page_arguments import PageArguments, SortDirection
from mainsheet.schema.relation import relation

T = TypeVar("T")
NodeType = TypeVar("NodeType")


@strawberry.type(description="The position of a page in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(
        description=(
            "Whether the list has items after the page. With `last`, this isn't looked up: it is true if `before` was"
            " given."
        )
    )
    has_previous_page: bool = strawberry.field(
        description=(
            "Whether the list has items before the page. This is looked up only with `last`. Otherwise it is true if"
            " `after` or a `page` other than the first was given."
        )
    )
    start_cursor: str | None = strawberry.field(description="The cursor of the first item. Null if the page is empty.")
    end_cursor: str | None = strawberry.field(
        description=(
            "The cursor of the last item. Null if the page is empty, except in `Query.events`: there it is the position"
            " up to which the feed was read, if it was read in ascending order."
        )
    )


@strawberry.type(description="An item of a list with its cursor.")
class Edge(Generic[NodeType]):
    node: NodeType = strawberry.field(description="The item.")
    cursor: str = strawberry.field(description="The position of the item, for the arguments `after` and `before`.")


@strawberry.type(description="One page of a list.")
class Connection(Generic[NodeType]):
    edges: list[Edge[NodeType]] = strawberry.field(description="The items of the page with their cursors.")
    nodes: list[NodeType] = strawberry.field(description="The items of the page.")
    page_info: PageInfo = strawberry.field(description="The position of the page in the list.")
    total_count: int = relation(
        paged_list.totals,
        int,
        (
            "The number of items in the whole list. Selecting it runs one more database query, whose cost grows "
            "with the list."
        ),
        key="itself",
    )


def described(text: str) -> Any:
    return strawberry.argument(description=text)


def with_page_arguments(
    direction: SortDirection = SortDirection.ASC, *, is_numbered: bool = True
) -> Callable[[Callable[..., T]], Callable[..., T]]:
    """Replace a function's first parameter, its `PageArguments`, by the arguments of a page.

    `direction` is the default sort direction. A list that isn't numbered has cursors only.
    """
    sort_direction = PAGE_PARAMETERS["sort_direction"].replace(default=direction)
    parameters = PAGE_PARAMETERS | {"sort_direction": sort_direction}
    if not is_numbered:
        parameters = {name: each for name, each in parameters.items() if name not in {"limit", "page"}}

    def replaced(arguments: Callable[..., T]) -> Callable[..., T]:
        def read(**values: Any) -> T:
            own = {name: values.pop(name) for name in PAGE_PARAMETERS if name in values}
            return arguments(PageArguments.of(**own), **values)

        own = list(inspect.signature(arguments).parameters.values())[1:]
        read.__signature__ = inspect.Signature([*parameters.values(), *own])  # type: ignore[attr-defined]  # PEP 362
        return read

    return replaced


def _declaration(
    *,
    limit: Annotated[
        int | None,
        described(
            "The number of items in a numbered page, 0 to 100. Defaults to 100. It can't be combined with"
            " `first`, `after`, `last` or `before`."
        ),
    ] = None,
    page: Annotated[
        int | None,
        described(
            "The number of the page, from 1. Defaults to 1. It goes with `limit`. The cost grows with the"
            " number; a page by cursor always costs the same."
        ),
    ] = None,
    first: Annotated[
        int | None,
        described(
            "The number of items from the start of the list, or after the cursor in `after`: 0 to 100. Defaults to 100."
        ),
    ] = None,
    after: Annotated[str | None, described("Return the items after this cursor. It goes with `first`.")] = None,
    last: Annotated[
        int | None,
        described(
            "The number of items from the end of the list, or before the cursor in `before`: 0 to 100, in the"
            " same order. Defaults to 100 with `before`."
        ),
    ] = None,
    before: Annotated[str | None, described("Return the items before this cursor. It goes with `last`.")] = None,
    sort_direction: Annotated[SortDirection, described("The sort direction.")] = SortDirection.ASC,
) -> None:
    """Declare the arguments that `PageArguments.of` takes."""


PAGE_PARAMETERS = dict(inspect.signature(_declaration).parameters)


def _page(page: PageArguments) -> PageArguments:
    return page


page_arguments = with_page_arguments()(_page)
newest_first = with_page_arguments(SortDirection.DESC)(_page)
