import gc

import pytest

from mainsheet.server.process.garbage import rarely_collected, uncollected
from tests.server.commands import invoke


def test_what_is_made_uncollected_is_no_work_for_the_garbage_collector() -> None:
    with rarely_collected():  # unfreezes at the end
        before = gc.get_freeze_count()
        with uncollected():
            assert not gc.isenabled()
            made: list[list[int]] = [[] for _ in range(1000)]

        assert gc.isenabled()
        assert gc.get_freeze_count() >= before + len(made)


def test_the_garbage_collector_works_again_after_an_import_that_fails() -> None:
    with rarely_collected():
        with pytest.raises(ImportError), uncollected():
            raise ImportError

        assert gc.isenabled()


def test_garbage_is_collected_as_before_after_serving() -> None:
    before = gc.get_threshold()

    with rarely_collected():
        pass

    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0


def test_a_command_that_was_imported_leaves_later_objects_to_the_garbage_collector() -> None:
    invoke("settings", "--help")
    with rarely_collected():
        before = gc.get_freeze_count()
        made: list[list[int]] = [[] for _ in range(1000)]

        invoke("settings", "--help")

        assert gc.get_freeze_count() < before + len(made)
