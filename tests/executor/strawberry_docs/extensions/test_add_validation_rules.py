"""Validation rules of one's own and of graphql-core."""

from typing import Any

import strawberry
from graphql import ASTValidationRule, GraphQLError, ValidationRule
from graphql.validation import NoDeprecatedCustomRule, NoSchemaIntrospectionCustomRule
from strawberry.extensions import AddValidationRules

from mainsheet.executor import Outcome
from tests.executor.comparing import said
from tests.executor.strawberry_docs.api import Make


class NoExample(ValidationRule):
    def enter_field(self, node: Any, *_: Any) -> None:
        if node.name.value == "example":
            self.report_error(GraphQLError("Can't query field 'example'", node))


@strawberry.type
class Query:
    @strawberry.field
    def hello(self) -> str:
        return "Hello, world!"

    @strawberry.field
    def example(self) -> str:
        raise AssertionError("it isn't called")

    @strawberry.field(deprecation_reason="It is old.")
    def old(self) -> str:
        return "old"


RULES: list[type[ASTValidationRule]] = [NoExample, NoDeprecatedCustomRule, NoSchemaIntrospectionCustomRule]
EXTENSIONS = [lambda: AddValidationRules(RULES)]


async def test_what_breaks_a_rule_is_refused(schema: Make) -> None:
    api = schema(Query, extensions=EXTENSIONS)
    hidden = "GraphQL introspection has been disabled, but the requested query contained the field '__schema'."

    await api.gives("{ example }", None, None, errors=[said("Can't query field 'example'", at=(1, 3))])
    await api.gives("{ old }", None, None, errors=[said("The field Query.old is deprecated. It is old.", at=(1, 3))])
    await api.gives("{ __schema { __typename } }", None, None, errors=[said(hidden, at=(1, 3))])


async def test_what_keeps_the_rules_is_compiled(schema: Make) -> None:
    await schema(Query, extensions=EXTENSIONS).gives("{ hello }", {"hello": "Hello, world!"}, Outcome.COMPILED)
