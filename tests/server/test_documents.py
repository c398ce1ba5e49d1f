import pytest

from executor import core_schema
from server.complexity import Limits, rule
from server.documents import Documents
from server.errors import InvalidOperation
from tests.server.small_api import small_api

FIRST, SECOND, THIRD = "{ hello }", "{ thing { name } }", "{ things { totalCount } }"


def _documents(capacity: int) -> Documents:
    return Documents(core_schema(small_api), rule(Limits(20, 2_000, 1_000_000)), 1_000, capacity)


def test_a_repeated_text_is_parsed_once() -> None:
    documents = _documents(1_000)

    assert documents.get(FIRST) is documents.get(FIRST)


def test_what_was_not_asked_for_longest_is_forgotten_first() -> None:
    documents = _documents(len(FIRST + THIRD) + 5)
    first, second = documents.get(FIRST), documents.get(SECOND)

    documents.get(FIRST)
    documents.get(THIRD)

    assert documents.get(FIRST) is first
    assert documents.get(SECOND) is not second


def test_a_text_larger_than_all_room_is_answered_but_not_kept() -> None:
    documents = _documents(1)

    assert documents.get(FIRST) is not documents.get(FIRST)


def test_a_refused_text_is_refused_again() -> None:
    documents = _documents(1_000)

    for _ in range(2):
        with pytest.raises(InvalidOperation, match="Cannot query field 'unheard'"):
            documents.get("{ unheard }")


SAME = "thing { name } " * 400
FRAGMENTS = "".join(f" fragment F{number} on Thing {{ name tags }}" for number in range(300))
SPREADS = " ".join(f"...F{number}" for number in range(300))
MANY = " ".join(f"a{number}: thing {{ name }}" for number in range(900))


@pytest.mark.parametrize(
    "text", [f"{{ {SAME}}}", f"{{ thing {{ {SPREADS} }} }}{FRAGMENTS}"], ids=["fields", "fragments"]
)
def test_what_takes_long_to_compare_is_refused_before_it_is_compared(text: str) -> None:
    documents = Documents(core_schema(small_api), rule(Limits(20, 2_000, 1_000_000)), 20_000, 0)

    with pytest.raises(InvalidOperation, match="too many fields of one name, or fragments") as refused:
        documents.get(text)

    assert [error.extensions for error in refused.value.errors] == [{"code": "QUERY_TOO_COMPLEX"}]


@pytest.mark.parametrize("text", [f"{{ {MANY} }}", f"{{ {'thing { name } ' * 60}}}"], ids=["other names", "some"])
def test_what_is_compared_quickly_is_not_refused(text: str) -> None:
    documents = Documents(core_schema(small_api), rule(Limits(20, 2_000, 1_000_000)), 20_000, 0)

    assert documents.get(text)
