"""The organization document: the fields of the inputs that create objects, with names in place of ids.

It is made from the GraphQL inputs, so that it has their fields, defaults and descriptions.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from graphql import (
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLString,
    Undefined,
    assert_enum_type,
    assert_input_object_type,
)

from mainsheet.executor import core_schema
from mainsheet.models.input_values import TEXTS, value_problems
from mainsheet.models.limits import normal
from mainsheet.models.member import stored_email
from mainsheet.schema.api import api
from mainsheet.server.job_files.document import Document, brief
from mainsheet.server.job_files.files import faults_of
from mainsheet.server.organization_files.kinds import KINDS, Kind

TYPES = core_schema(api).type_map
OF_THE_CALL = {"dryRun", "idempotencyKey", "message"}
KEPT = {"status", "externalId", "managedBy", "team", "teams"}  # these stay as they are if they are omitted
SNAKE = {"externalId": "external_id", "managedBy": "managed_by"}
FORMS = {
    **TEXTS,
    **{name: TEXTS[snake] for name, snake in SNAKE.items()},
    **dict.fromkeys(("team", "organization"), TEXTS["name"]),
}


def _optional(type_: GraphQLInputType, description: str) -> GraphQLInputField:
    return GraphQLInputField(type_, description=description)


ROLE = GraphQLInputObjectType(
    "TeamRoleDocument",
    {
        "team": GraphQLInputField(GraphQLNonNull(GraphQLString), description="The name of the team."),
        "role": assert_input_object_type(TYPES["TeamRoleInput"]).fields["role"],
    },
    description="A team and a role in it.",
)
ROLES = _optional(
    GraphQLList(GraphQLNonNull(ROLE)), "The roles in teams. Others are removed with --prune only. Omit to keep all."
)
STATUS = _optional(assert_enum_type(TYPES["ActorStatus"]), "Whether the actor may use the API. Omit to keep it.")
INSTEAD: Mapping[str, Mapping[str, GraphQLInputField]] = {
    "members": {"status": STATUS, "teams": ROLES},
    "serviceAccounts": {"status": STATUS, "teams": ROLES},
    "clusters": {
        "status": _optional(
            assert_enum_type(TYPES["ClusterStatus"]), "The status. Omit to keep it; a new cluster is ACTIVE."
        )
    },
    "savedQueries": {
        "team": _optional(GraphQLString, "The name of the team that may change it. A new saved query needs one.")
    },
}


def _document_type(kind: Kind) -> GraphQLInputObjectType:
    source = assert_input_object_type(TYPES[f"Create{kind.noun}Input"])
    left_out = OF_THE_CALL | {"teamId"}
    own = {name: field for name, field in source.fields.items() if name not in left_out}
    fields = {**own, **INSTEAD.get(kind.section, {})}
    return GraphQLInputObjectType(f"{kind.noun}Document", fields, description=f"A {kind.words}.")


OBJECTS = {kind.section: _document_type(kind) for kind in KINDS}
DOCUMENT = GraphQLNonNull(
    GraphQLInputObjectType(
        "OrganizationDocument",
        {
            "organization": _optional(GraphQLString, "The name of the organization. The file is refused for another."),
            **{
                kind.section: _optional(
                    GraphQLList(GraphQLNonNull(OBJECTS[kind.section])),
                    f"The {kind.plural}, each named by `{kind.key}`. Omit to leave all as they are.",
                )
                for kind in KINDS
            },
        },
        description="The people, teams, clusters and saved queries of an organization.",
    )
)


def normalized(document: Document) -> dict[str, Any]:
    """Return the document with its texts as the server stores them."""
    return {
        name: [_normalized(each) for each in value] if name in OBJECTS and value is not None else value
        for name, value in normal(FORMS, document).items()
        if value is not None
    }


def _normalized(values: Mapping[str, Any]) -> dict[str, Any]:
    made = normal(FORMS, values)
    if roles := made.get("teams"):
        made["teams"] = [normal(FORMS, each) for each in roles]
    return {**made, "email": stored_email(made["email"])} if "email" in made else made


def faults(document: Any) -> Iterator[str]:
    """Yield what is wrong with a document, from the types to the limits of each value."""
    found = list(faults_of(document, DOCUMENT))
    yield from found or _value_faults(normalized(document))


def _value_faults(document: Mapping[str, Any]) -> Iterator[str]:
    for kind in KINDS:
        objects = document.get(kind.section, ())
        for index, each in enumerate(objects):
            values = {SNAKE.get(name, name): value for name, value in each.items() if name not in {"team", "teams"}}
            for problem in value_problems(values):
                yield f"{kind.section}.{index}.{'.'.join(problem.path)}: {problem.message}"
        for unique in (kind.key, "externalId"):
            yield from _repeated(kind, unique, [each.get(unique) for each in objects])
    yield from _repeated_roles(document)


def _repeated(kind: Kind, name: str, values: Sequence[str | None]) -> Iterator[str]:
    for index, value in enumerate(values):
        if value is not None and value in values[:index]:
            yield f"{kind.section}.{index}.{name}: {value!r} is there twice."


def _repeated_roles(document: Mapping[str, Any]) -> Iterator[str]:
    for section in ("members", "serviceAccounts"):
        for index, each in enumerate(document.get(section, ())):
            teams = [role["team"] for role in each.get("teams") or ()]
            for team in {team for team in teams if teams.count(team) > 1}:
                yield f"{section}.{index}.teams: {team!r} is there twice."


def wanted(kind: Kind, document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that an object shall have: the defaults of those that are omitted, unless they are kept.

    An explicit null removes the external id or the managing system.
    """
    fields = {name: each for name, each in OBJECTS[kind.section].fields.items() if name != "teams"}
    given = {name: value for name, value in document.items() if name in fields and (value is not None or name in SNAKE)}
    return {name: _default(field) for name, field in fields.items() if name not in KEPT} | given


def _default(field: GraphQLInputField) -> Any:
    default = field.default_value
    return None if default is Undefined else getattr(default, "value", default)


def shown(kind: Kind, values: Mapping[str, Any]) -> Document:
    """Return an object's values as a file has them: without nulls and defaults."""
    return brief(values, OBJECTS[kind.section])


def is_same(document: Document, exported: Document) -> bool:
    """Return whether two documents mean the same, whatever their order.

    A missing section is an empty one, and what an object of the first document omits to keep it isn't compared.
    """
    own, other = normalized(document), normalized(exported)
    names = {each.get("organization", other.get("organization")) for each in (own, other)}
    objects, theirs = _objects(own), _objects(other)
    return (
        len(names) == 1
        and objects.keys() == theirs.keys()
        and all(_meaning(name, each, each) == _meaning(name, theirs[name], each) for name, each in objects.items())
    )


def _objects(document: Document) -> Mapping[tuple[str, str], Document]:
    return {(kind.section, each[kind.key]): each for kind in KINDS for each in document.get(kind.section, ())}


def _meaning(name: tuple[str, str], values: Document, given: Document) -> Document:
    """Return the values with the defaults of those that are omitted, but without those that are omitted to be kept."""
    kept = {name for name in KEPT if given.get(name) is None and not (name in SNAKE and name in given)}
    made = brief(_with_sorted_roles(values), OBJECTS[name[0]])
    return {name: value for name, value in made.items() if name not in kept}


def _with_sorted_roles(values: Mapping[str, Any]) -> Mapping[str, Any]:
    roles = sorted(values.get("teams") or (), key=lambda each: str(each["team"]))
    return {**values, "teams": roles}
