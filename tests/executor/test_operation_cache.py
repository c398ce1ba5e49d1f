"""How many operations are kept prepared."""

import gc

import pytest
import strawberry

from mainsheet.executor import OperationCache, Prepared, Schema, Size, core_schema


@strawberry.type
class Query:
    number: int = 1


def kept_by(api: Schema) -> list[str]:
    """Return the names of the operations that are kept."""
    gc.collect()
    found = [each for each in gc.get_objects() if isinstance(each, Prepared) and each.schema is core_schema(api)]
    return sorted(each.node.name.value for each in found if each.node.name)


@pytest.mark.parametrize(("comment", "expected"), [("# short", ["A", "B", "C"]), (f"# {'x' * 400_000}", ["C"])])
def test_large_documents_take_the_place_of_others(comment: str, expected: list[str]) -> None:
    api = Schema(Query)

    for name in "ABC":
        assert api.execute_sync(f"query {name} {{ number }} {comment}", root_value=Query()).data == {"number": 1}

    assert kept_by(api) == expected


def test_at_most_256_operations_are_kept() -> None:
    api = Schema(Query)

    for number in range(257):
        api.execute_sync(f"query Q{number:03} {{ number }}", root_value=Query())

    assert kept_by(api) == [f"Q{number:03}" for number in range(1, 257)]


def test_operations_whose_programs_grow_take_the_place_of_others() -> None:
    dropped: list[str] = []
    cache: OperationCache[str, object] = OperationCache(30, dropped=dropped.append)
    first, second = Size(cache, 10), Size(cache, 10)
    cache.keep("first", object(), first)
    cache.keep("second", object(), second)

    second.grow(10)
    assert (len(cache), cache.bytes, dropped) == (2, 30, [])
    second.grow(1)
    assert (len(cache), cache.bytes, dropped) == (1, 21, ["first"])
    first.grow(1)  # by a request that began before
    assert cache.bytes == 21


def test_an_operation_that_was_kept_in_the_meantime_is_the_one_that_is_used() -> None:
    cache: OperationCache[str, object] = OperationCache(30)
    first, second = object(), object()

    assert cache.keep("same", first, Size(cache, 10)) is first
    assert cache.keep("same", second, Size(cache, 10)) is first
    assert (len(cache), cache.bytes) == (1, 10)
