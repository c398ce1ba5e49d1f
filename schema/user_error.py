"""Expected errors as data: one GraphQL type for each class in `mainsheet.models.errors`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import Field, dataclass, fields
from enum import StrEnum
from typing import Any

import strawberry
from graphql import GraphQLAbstractType, GraphQLResolveInfo
from strawberry.utils.str_converters import to_camel_case

from mainsheet.models import errors, limits, provisioning_errors, run_errors, webhook_errors  # noqa: F401 defines errors
from mainsheet.resolvers import cluster, job, job_version, team
from mainsheet.schema import names
from mainsheet.schema.enums import describe
from mainsheet.schema.relation import relation
from mainsheet.schema.weight import weight


def _kinds(root: type[errors.UserError]) -> Iterator[type[errors.UserError]]:
    """Yield the classes below this one that have a code."""
    for each in root.__subclasses__():
        if hasattr(each, "code"):
            yield each
        yield from _kinds(each)


CLASSES: Sequence[type[errors.UserError]] = list(_kinds(errors.UserError))

_codes: Any = StrEnum("UserErrorCode", {each.code: each.code for each in CLASSES})  # type: ignore[misc]  # as many as classes
UserErrorCode: Any = describe(
    _codes, "The code of an expected error.", **{each.code: str(each.__doc__) for each in CLASSES}
)


@dataclass(frozen=True)
class Problem:
    """Wraps an error, because an exception as a value would be a failure of the field."""

    error: errors.UserError

    def __getattr__(self, name: str) -> Any:
        return getattr(self.error, name)


@strawberry.interface(description="A reason why a mutation was refused. A refused mutation changes nothing.")
class UserError:
    code: UserErrorCode = strawberry.field(description="The code of the error, for programs.")
    message: str = strawberry.field(description="The message of the error, for people.")

    @strawberry.field(
        description=(
            "The path of the wrong field below the argument `input`, such as `config`, `clusterId`. List"
            " items are given by index. Empty if no single field is wrong."
        )
    )
    def path(root: strawberry.Parent[Any]) -> list[str]:  # noqa: N805 the error is the parent
        return [to_camel_case(name) for name in root.path]

    @classmethod
    def resolve_type(cls, problem: Problem, _info: GraphQLResolveInfo[Any], _type: GraphQLAbstractType) -> str:
        return _type_name(type(problem.error))

    @classmethod
    def is_type_of(cls, problem: Problem, _info: GraphQLResolveInfo[Any]) -> bool:
        return _type_name(type(problem.error)) == cls.__name__


DEPENDENTS = weight(items=limits.SHOWN_DEPENDENTS)


def _type_name(error: type[errors.UserError]) -> str:
    return f"{error.__name__}Error"


def _graphql_field(each: "Field[Any]") -> tuple[str, Any]:
    """Return the GraphQL field of an error's field. An id becomes the object with that id."""
    text = DESCRIPTIONS[each.name]
    match each.name:
        case "draft_id":
            return "draft", relation(job_version.by_ids, names.JobVersion | None, text, key="draft_id")
        case "team_id":
            return "team", relation(team.by_ids, names.Team | None, text, key="team_id")
        case "cluster_id":
            return "cluster", relation(cluster.by_ids, names.Cluster | None, text, key="cluster_id")
        case "job_ids":
            return "cycle", relation(job.of_cycles, list[names.Job | None], text, key="job_ids")
        case "dependent_ids" | "user_ids":
            name = "dependents" if each.name == "dependent_ids" else "jobs"
            return name, relation(job.of_sets, list[names.Job], text, key=each.name, weight=DEPENDENTS)
    return each.name, strawberry.field(description=text)


DESCRIPTIONS: Mapping[str, str] = {
    "actual": "The actual value.",
    "cluster_id": "The cluster. Null if it no longer exists.",
    "dependency_id": "The id to send in `removeDependencyIds`. Null if the version has no such dependency.",
    "dependent_ids": (
        f"The jobs that depend on it and that you can see, ordered by key: at most {limits.SHOWN_DEPENDENTS} of them."
    ),
    "draft_id": "The draft that the job already has. Null if it no longer exists.",
    "expected": "The expected value.",
    "hidden_count": "The number of jobs that use the object or depend on it, and that you can't see.",
    "job_ids": (
        "The jobs of the cycle, starting and ending with the same job. An item is null if you can't see that job."
    ),
    "job_key": "The key that another job has.",
    "maximum": "The largest allowed value or length. Null if the error isn't about a range.",
    "minimum": "The smallest allowed value or length. Null if the error isn't about a range.",
    "missing_organization_role": "The missing role in the organization. Null if something else is missing.",
    "missing_permission": "The missing permission on the job. Null if a role is missing.",
    "missing_scope": "The missing scope. Null if the new token would expire after yours.",
    "missing_team_role": "The missing role in the team. Null if something else is missing.",
    "number": "The number of the version.",
    "pattern": "The regular expression that the value must match. Null if the error isn't about a format.",
    "quota": "The largest allowed number of objects of this kind.",
    "user_ids": f"The jobs that use it, ordered by key: at most {limits.SHOWN_DEPENDENTS} that you can see.",
    "team_id": "The team in which the role is missing. Null if something else is missing.",
}


def _own_fields(error: type[errors.UserError]) -> Iterator["Field[Any]"]:
    return (each for each in fields(error) if each.name != "path" and not each.metadata.get("private"))


def _graphql_type(error: type[errors.UserError]) -> type:
    """Make the GraphQL type of one error class."""
    namespace: dict[str, Any] = {"__annotations__": {}, "__module__": __name__}
    for each in _own_fields(error):
        name, shown = _graphql_field(each)
        namespace[name] = shown
        if name == each.name:
            namespace["__annotations__"][name] = strawberry.ID | None if name == "dependency_id" else each.type
    made = type(_type_name(error), (UserError,), namespace)
    return strawberry.type(made, description=error.__doc__)


TYPES = [_graphql_type(each) for each in CLASSES]
