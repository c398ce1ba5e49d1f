"""Expected errors as data: one GraphQL type for each class in `mainsheet.models.errors`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import Field, dataclass, fields
from enum import StrEnum
from typing import Any

import strawberry
from graphql import GraphQLAbstractType, GraphQLResolveInfo
from strawberry.utils.str_converters import to_camel_case

from mainsheet.models import errors
from mainsheet.resolvers import cluster, job, job_version, team
from mainsheet.schema import names
from mainsheet.schema.enums import describe
from mainsheet.schema.relation import relation

CLASSES: Sequence[type[errors.UserError]] = errors.UserError.__subclasses__()

_codes: Any = StrEnum("UserErrorCode", {each.code: each.code for each in CLASSES})  # type: ignore[misc]  # as many as classes
UserErrorCode: Any = describe(
    _codes, "What kind of problem an expected error is.", **{each.code: str(each.__doc__) for each in CLASSES}
)


@dataclass(frozen=True)
class Problem:
    """An error as a value: GraphQL would take the exception itself for a failure of the field."""

    error: errors.UserError

    def __getattr__(self, name: str) -> Any:
        return getattr(self.error, name)


@strawberry.interface(description="Something about an input that a mutation refused. It changed nothing.")
class UserError:
    code: UserErrorCode = strawberry.field(description="What kind of problem it is.")
    message: str = strawberry.field(description="The problem, in words.")

    @strawberry.field(description="The input field that it is about, from the input's root; list items by index.")
    def path(root: strawberry.Parent[Any]) -> list[str]:  # noqa: N805 the error is the parent
        return [to_camel_case(name) for name in root.path]

    @classmethod
    def resolve_type(cls, problem: Problem, _info: GraphQLResolveInfo[Any], _type: GraphQLAbstractType) -> str:
        return _type_name(type(problem.error))

    @classmethod
    def is_type_of(cls, problem: Problem, _info: GraphQLResolveInfo[Any]) -> bool:
        return _type_name(type(problem.error)) == cls.__name__


def _type_name(error: type[errors.UserError]) -> str:
    return f"{error.__name__}Error"


def _shown(each: "Field[Any]") -> tuple[str, Any]:
    """Return an error's field as a GraphQL one: ids as what they name, the rest as they are."""
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
    return each.name, strawberry.field(description=text)


DESCRIPTIONS: Mapping[str, str] = {
    "actual": "What it is by now. Null if it is gone.",
    "cluster_id": "The cluster.",
    "draft_id": "The draft that is in the way.",
    "expected": "What the input expected.",
    "job_ids": "The jobs along the cycle, the first one again at the end. Null where you can't see the job.",
    "job_key": "The key.",
    "maximum": "The largest value or length allowed. Null if the limit is another one.",
    "minimum": "The smallest value or length allowed. Null if the limit is another one.",
    "missing_organization_role": "The role in the organization that is missing. Null if something else is.",
    "missing_permission": "The permission on the job that is missing. Null if a role is.",
    "missing_team_role": "The role in the team that is missing. Null if something else is.",
    "number": "The version's number.",
    "pattern": "The regular expression that the value must match. Null if the limit is another one.",
    "team_id": "The team in which the role is missing. Null if something else is.",
}


def _own_fields(error: type[errors.UserError]) -> Iterator["Field[Any]"]:
    return (each for each in fields(error) if each.name != "path" and not each.metadata.get("private"))


def _graphql_type(error: type[errors.UserError]) -> type:
    """Make the GraphQL type of one error class."""
    namespace: dict[str, Any] = {"__annotations__": {}, "__module__": __name__}
    for each in _own_fields(error):
        name, shown = _shown(each)
        namespace[name] = shown
        if name == each.name:
            namespace["__annotations__"][name] = each.type
    made = type(_type_name(error), (UserError,), namespace)
    return strawberry.type(made, description=error.__doc__)


TYPES = [_graphql_type(each) for each in CLASSES]
