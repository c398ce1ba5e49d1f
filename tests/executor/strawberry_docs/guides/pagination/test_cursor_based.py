"""A page of a list with the cursor of the next one."""

from base64 import b64decode, b64encode

import strawberry

from mainsheet.executor import Outcome
from tests.executor.strawberry_docs.api import Make


@strawberry.type
class User:
    id: str
    name: str


@strawberry.type
class PageMeta:
    next_cursor: str | None


@strawberry.type
class UserResponse:
    users: list[User]
    page_meta: PageMeta


USERS = [User(id=number, name=f"user {number}") for number in range(1, 5)]  # type: ignore[arg-type]  # as the page has it


def encoded(number: int) -> str:
    return b64encode(f"user:{number}".encode()).decode()


def decoded(cursor: str) -> int:
    return int(b64decode(cursor).decode().split(":")[1])


@strawberry.type
class Query:
    @strawberry.field
    def get_users(self, limit: int, cursor: str | None = None) -> UserResponse:
        first = decoded(cursor) if cursor else 1
        found = [each for each in USERS if int(each.id) >= first][: limit + 1]
        following = found.pop() if len(found) > limit else None
        return UserResponse(
            users=found, page_meta=PageMeta(next_cursor=encoded(int(following.id)) if following else None)
        )


async def test_pages_follow_each_other(schema: Make) -> None:
    text = """query ($cursor: String) {
        getUsers(limit: 3, cursor: $cursor) { users { id name } pageMeta { nextCursor } }
    }"""
    api = schema(Query)

    for cursor, numbers, following in [(None, (1, 2, 3), encoded(4)), (encoded(4), (4,), None)]:
        data = {
            "getUsers": {
                "users": [{"id": f"{number}", "name": f"user {number}"} for number in numbers],
                "pageMeta": {"nextCursor": following},
            }
        }
        await api.gives(text, data, Outcome.COMPILED, variable_values={"cursor": cursor})
