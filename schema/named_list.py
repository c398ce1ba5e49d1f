"""The arguments of lists that are ordered by name and can be searched."""

from collections.abc import Callable
from typing import Annotated

from mainsheet.models import limits
from mainsheet.models.cluster_status import ClusterStatus
from mainsheet.models.errors import BadInput
from mainsheet.resolvers.named_list import NamedListArguments
from mainsheet.resolvers.sql.pagination.page_arguments import PageArguments
from mainsheet.schema.conditions import THIS_LIST, entries
from mainsheet.schema.connection import described, with_page_arguments

FOLDING = (
    "at most 255 characters. Case, Unicode normalization and surrounding spaces make no difference. A blank text is no"
    " condition."
)


def searched(what: str) -> Callable[..., NamedListArguments]:
    """Return the arguments of a list that is searched in `what`, such as "name"."""

    @with_page_arguments()
    def arguments(
        page: PageArguments,
        *,
        search: Annotated[str | None, described(f"A text that the {what} contains, {FOLDING}")] = None,
    ) -> NamedListArguments:
        return NamedListArguments(page, _checked(search))

    return arguments


@with_page_arguments()
def cluster_list_arguments(
    page: PageArguments,
    *,
    search: Annotated[str | None, described(f"A text that the name or region contains, {FOLDING}")] = None,
    statuses: Annotated[
        list[ClusterStatus] | None,
        described(f"Return only the clusters with one of these statuses. {THIS_LIST}"),
    ] = None,
) -> NamedListArguments:
    return NamedListArguments(page, _checked(search), None if statuses is None else entries("statuses", statuses))


def _checked(search: str | None) -> str | None:
    for problem in limits.SEARCH.check(search or "", ()):
        raise BadInput(f"search: {problem.message}")
    return search
