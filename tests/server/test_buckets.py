import pytest

from mainsheet.server.operations import buckets
from mainsheet.server.operations.buckets import Buckets
from testbed.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock(0)


def test_a_bucket_starts_full_and_refills_in_a_minute(clock: Clock) -> None:
    points = Buckets(60, clock)

    points.of("a").charge(60)
    clock.now = 30

    assert points.left("a") == 30


def test_a_charge_may_cause_a_debt(clock: Clock) -> None:
    points = Buckets(60, clock)

    points.of("a").charge(180)

    assert (points.left("a"), points.of("a").seconds_until(0)) == (-120, 120)


def test_charges_leave_a_whole_number_at_any_time_of_the_clock(clock: Clock) -> None:
    clock.now = 75_000.123
    points = Buckets(300, clock)

    for _ in range(299):
        points.of("a").charge(1)

    assert points.left("a") == 1


def test_refunds_never_exceed_the_quota(clock: Clock) -> None:
    points = Buckets(60, clock)

    points.of("a").charge(30)
    clock.now = 30
    points.of("a").charge(-30)

    assert points.left("a") == 60


def test_each_key_has_its_own_bucket(clock: Clock) -> None:
    points = Buckets(60, clock)

    points.of("a").charge(60)

    assert points.left("b") == 60


def test_only_the_most_recently_used_keys_are_kept(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buckets, "MOST_KEYS", 2)
    points = Buckets(60, clock)

    for key in ("a", "b", "a", "c"):
        points.of(key).charge(10)

    assert [points.left(key) for key in "abc"] == [40, 60, 50]
