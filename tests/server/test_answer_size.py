"""A response larger than `max_answer_bytes` is refused with its size and the limit."""

from typing import Any

import pytest

from mainsheet.server.http.request import GRAPHQL_RESPONSE, JSON
from tests.server.conftest import Serve

LIMIT = 1024
LARGE = "{ " + " ".join(f"a{number}: hello" for number in range(60)) + " }"
HELLO = "query ($name: String!) { hello(name: $name) }"


def refusal(answer: dict[str, Any]) -> dict[str, Any]:
    assert answer["data"] is None
    (error,) = answer["errors"]
    return dict(error)


@pytest.mark.parametrize("executor", ["compiled", "reference"])
@pytest.mark.parametrize("media_type", [JSON, GRAPHQL_RESPONSE])
async def test_a_response_over_the_size_limit_is_refused(serve: Serve, executor: str, media_type: str) -> None:
    server = await serve(max_answer_bytes=LIMIT, executor=executor)

    response = await server.post(LARGE, accept=media_type)

    error = refusal(await response.json())
    size = error["extensions"].pop("actual")
    assert response.status == 200
    assert error["extensions"] == {"code": "QUERY_TOO_COMPLEX", "measure": "bytes", "limit": LIMIT}
    assert size > LIMIT
    assert error["message"] == (
        f"The answer is too large: at least {size} bytes, at most 1024. Ask for less at once."
        " What a mutation changed is kept."
    )


async def test_a_response_of_the_maximum_size_is_sent(serve: Serve) -> None:
    server = await serve(max_answer_bytes=LIMIT)
    around = len(await (await server.post(HELLO, variables={"name": ""})).read())

    fitting, larger = [
        await (await server.post(HELLO, variables={"name": "x" * (length - around)})).json()
        for length in (LIMIT, LIMIT + 1)
    ]

    assert "errors" not in fitting
    assert refusal(larger)["extensions"]["actual"] == LIMIT + 1


@pytest.mark.parametrize("character", ["é", "\u0001", "\U0001f600"])
async def test_multibyte_characters_count_in_bytes(serve: Serve, character: str) -> None:
    server = await serve(max_answer_bytes=LIMIT)

    response = await server.post(HELLO, variables={"name": character * 600})

    assert refusal(await response.json())["extensions"]["actual"] > LIMIT


async def test_a_too_large_mutation_response_says_the_change_is_kept(serve: Serve) -> None:
    server = await serve(max_answer_bytes=LIMIT)
    greetings = " ".join(f"a{number}: greet" for number in range(80))

    response = await server.post(f"mutation {{ {greetings} }}")

    assert refusal(await response.json())["message"].endswith("What a mutation changed is kept.")
