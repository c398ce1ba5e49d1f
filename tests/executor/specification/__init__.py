import pytest

pytest.register_assert_rewrite("tests.executor.specification.both")
