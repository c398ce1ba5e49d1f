"""Hypothesis strategies for cron expressions."""

from hypothesis import strategies as st


def field(low: int, high: int, *more: str) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    ranges = st.tuples(number, number).map(lambda ends: f"{min(ends)}-{max(ends)}")
    bases = st.one_of(st.just("*"), ranges)
    steps = st.tuples(bases, st.integers(1, high + 3)).map(lambda parts: f"{parts[0]}/{parts[1]}")
    plain = st.lists(st.one_of(number.map(str), ranges, *map(st.just, more)), min_size=1, max_size=3).map(",".join)
    return st.one_of(st.just("*"), plain, steps)


DAYS = st.tuples(
    field(1, 31, "L", "LW"),
    st.one_of(st.just("*"), st.just("2"), field(1, 12)),
    field(0, 7, "5L", "1#1", "1#4", "1#5", "MON#5", "1L", "2#2"),
).map(" ".join)
TIMES = st.tuples(field(0, 59), field(0, 23)).map(" ".join)
