"""The arguments of a connection that select a page."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from mainsheet.models import limits
from mainsheet.models.errors import BadInput


class SortDirection(StrEnum):
    ASC = "ASC"
    DESC = "DESC"


@dataclass(frozen=True)
class PageArguments:
    """Which page of a list in which order: `size` items after `offset`, or after or before a cursor."""

    size: int = limits.PAGE_SIZE.maximum
    offset: int = 0
    after: str | None = None
    before: str | None = None
    backwards: bool = False
    descending: bool = False

    @classmethod
    def of(
        cls,
        *,
        limit: int | None = None,
        page: int | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        sort_direction: SortDirection = SortDirection.ASC,
    ) -> Self:
        """Convert GraphQL arguments. Raises `BadInput` for a value out of range or a mix of two kinds of pagination."""
        values = {"limit": limit, "page": page, "first": first, "after": after, "last": last, "before": before}
        given = {name for name, value in values.items() if value is not None}
        kinds = [given & kind for kind in ({"limit", "page"}, {"first", "after"}, {"last", "before"})]
        if sum(map(bool, kinds)) > 1:
            raise BadInput("Use limit and page, or first and after, or last and before, not a mix of them.")
        sizes = [each for each in (limit, first, last) if each is not None]
        size = limits.PAGE_SIZE.argument("limit, first and last", sizes[0]) if sizes else limits.PAGE_SIZE.maximum
        number = 1 if page is None else limits.PAGE.argument("page", page)
        return cls(
            size,
            (number - 1) * size,
            after,
            before,
            backwards=bool(kinds[2]),
            descending=sort_direction is SortDirection.DESC,
        )
