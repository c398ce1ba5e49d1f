"""How many operations the drop-in keeps prepared."""

import gc

import pytest
import strawberry
from graphql import parse

from mainsheet.executor import Prepared, Schema, core_schema, kept
from mainsheet.executor.kept import KeptOperations, Key
from tests.executor.specification.both import operation


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


def test_operations_whose_programs_grow_take_the_place_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    grows = []

    def prepare(key: Key, grew: kept.Grew) -> Prepared:
        grows.append(grew)
        return operation(key.document, None)

    operations = KeptOperations(prepare)
    keys = [Key(parse(text), None, text) for text in ("{ int }", "{ string }")]
    for each in keys:
        operations.get(each)
    before = operations.size
    monkeypatch.setattr(kept, "MOST_BYTES", before + 10)

    grows[1](10)
    assert (len(operations), operations.size) == (2, before + 10)
    grows[1](1)
    assert (len(operations), operations.size) == (1, keys[1].weight + 11)
    grows[0](1)  # by a request that began before
    assert operations.size == keys[1].weight + 11
