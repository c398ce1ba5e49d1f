"""Permission classes run before the resolver, in their order, and give errors, nulls or empty lists."""

from typing import Any

import pytest
import strawberry
from graphql import GraphQLError
from strawberry.permission import BasePermission, PermissionExtension

from mainsheet.executor import Outcome
from tests.executor.comparing import said
from tests.executor.strawberry_docs.api import Make


class IsAuthenticated(BasePermission):
    message = "User is not authenticated"

    def has_permission(self, source: Any, info: strawberry.Info, **given: Any) -> bool:
        info.context["calls"].append("authenticated?")
        return "user" in info.context


class IsOwner(BasePermission):
    message = "Not yours"
    error_extensions = {"code": "UNAUTHORIZED"}  # noqa: RUF012 as the page has it

    async def has_permission(self, source: Any, info: strawberry.Info, **given: Any) -> bool:
        info.context["calls"].append(f"owner? {given}")
        return bool(source is None or source.owner == info.context["user"])


class NotImplementedYet(GraphQLError):
    pass


class Nobody(BasePermission):
    message = "Nobody"
    error_class = NotImplementedYet
    error_extensions = {"code": "NOT_IMPLEMENTED"}  # noqa: RUF012 as the page has it

    def has_permission(self, source: Any, info: strawberry.Info, **given: Any) -> bool:
        return False


class Custom(Nobody):
    def on_unauthorized(self) -> None:
        raise PermissionError("a custom error")


@strawberry.type
class Note:
    owner: strawberry.Private[str]

    @strawberry.field(permission_classes=[IsAuthenticated, IsOwner])
    def text(self, info: strawberry.Info, upper: bool = False) -> str | None:
        info.context["calls"].append("resolver")
        return f"by {self.owner}"


@strawberry.type
class Query:
    user: str = strawberry.field(default="ada", permission_classes=[IsAuthenticated])

    @strawberry.field
    def notes(self) -> list[Note]:
        return [Note(owner="ada"), Note(owner="bob")]

    @strawberry.field(permission_classes=[Nobody])
    def nobody(self) -> str | None:
        return "somebody"

    @strawberry.field(permission_classes=[Custom])
    def custom(self) -> str | None:
        return "somebody"

    @strawberry.field(extensions=[PermissionExtension(permissions=[Nobody()], fail_silently=True)])
    def silent(self) -> str | None:
        return "ABC"

    @strawberry.field(extensions=[PermissionExtension(permissions=[Nobody()], fail_silently=True)])
    def empty(self) -> list[str]:
        return ["ABC"]

    @strawberry.field(extensions=[PermissionExtension(permissions=[IsAuthenticated()])])
    def extended(self) -> str:
        return "ABC"


async def test_access_goes_ahead_if_it_is_permitted(schema: Make) -> None:
    await schema(Query).gives(
        "{ user extended }",
        {"user": "ada", "extended": "ABC"},
        Outcome.COMPILED,
        context_value={"user": "ada", "calls": []},
        root_value=Query(),
    )


async def test_access_without_permission_is_an_error(schema: Make) -> None:
    await schema(Query).gives(
        "{ user }",
        None,
        Outcome.REPLAYED,
        errors=[said("User is not authenticated", "user", at=(1, 3))],
        context_value={"calls": []},
        root_value=Query(),
    )


async def test_permissions_are_asked_before_the_resolver_is_called(async_schema: Make) -> None:
    context: dict[str, Any] = {"user": "ada", "calls": []}

    await async_schema(Query).gives(
        "{ notes { text(upper: true) } }",
        {"notes": [{"text": "by ada"}, {"text": None}]},
        Outcome.REPLAYED,
        errors=[said("Not yours", "notes", 1, "text", at=(1, 11), code="UNAUTHORIZED")],
        context_value=context,
    )

    asked = "owner? {'upper': True}"
    assert sorted(context["calls"]) == sorted(["authenticated?", asked] * 2 + ["resolver"])
    assert context["calls"].index(asked) < context["calls"].index("resolver")


async def test_a_failed_permission_ends_the_check(async_schema: Make) -> None:
    context: dict[str, Any] = {"calls": []}
    errors = [said("User is not authenticated", "notes", index, "text", at=(1, 11)) for index in (0, 1)]

    await async_schema(Query).gives(
        "{ notes { text } }",
        {"notes": [{"text": None}, {"text": None}]},
        Outcome.REPLAYED,
        errors=errors,
        context_value=context,
    )

    assert context["calls"] == ["authenticated?", "authenticated?"]


@pytest.mark.parametrize(
    ("field", "error"),
    [
        ("nobody", said("Nobody", "nobody", at=(1, 3), code="NOT_IMPLEMENTED")),
        ("custom", said("a custom error", "custom", at=(1, 3))),
    ],
)
async def test_errors_have_a_class_and_extensions(schema: Make, field: str, error: Any) -> None:
    await schema(Query).gives(f"{{ {field} }}", {field: None}, Outcome.REPLAYED, errors=[error])


async def test_a_permission_fails_silently(schema: Make) -> None:
    await schema(Query).gives("{ silent empty }", {"silent": None, "empty": []}, Outcome.COMPILED)
