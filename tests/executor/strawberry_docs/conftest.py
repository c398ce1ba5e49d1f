"""Runs each test with `strawberry.Schema` and with our drop-in, by `execute` and by `execute_sync`."""

import pytest

from tests.executor.strawberry_docs.api import Make

WAYS = [Make(is_ours=is_ours, is_sync=is_sync) for is_ours in (False, True) for is_sync in (False, True)]


def named(make: Make) -> str:
    return f"{'mainsheet' if make.is_ours else 'strawberry'}-{'execute_sync' if make.is_sync else 'execute'}"


@pytest.fixture(params=WAYS, ids=named)
def schema(request: pytest.FixtureRequest) -> Make:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture(params=[each for each in WAYS if not each.is_sync], ids=named)
def async_schema(request: pytest.FixtureRequest) -> Make:
    """For schemas with something to await."""
    return request.param  # type: ignore[no-any-return]
