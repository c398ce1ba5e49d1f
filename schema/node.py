from typing import Any, ClassVar

import strawberry
from graphql import GraphQLAbstractType, GraphQLResolveInfo

TYPE_NAMES: dict[str, str] = {}


@strawberry.interface(description="An object with a globally unique id, by which `Query.node` finds it.")
class Node:
    prefix: ClassVar[str]

    id: strawberry.ID = strawberry.field(
        description="The globally unique, opaque identifier: 1 to 20 upper-case letters and digits."
    )

    def __init_subclass__(cls, prefix: str = "", **options: Any) -> None:
        super().__init_subclass__(**options)
        if prefix:
            cls.prefix = prefix
            TYPE_NAMES[prefix] = cls.__name__

    @classmethod
    def resolve_type(cls, row: Any, _info: GraphQLResolveInfo[Any], _type: GraphQLAbstractType) -> str:
        return TYPE_NAMES[row.id[:2]]

    @classmethod
    def is_type_of(cls, row: Any, _info: GraphQLResolveInfo[Any]) -> bool:
        """Return whether a database row is of this type, by the prefix of its id."""
        return bool(row.id[:2] == cls.prefix)
