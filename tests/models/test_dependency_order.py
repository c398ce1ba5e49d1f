from hypothesis import given
from hypothesis import strategies as st

from mainsheet.models.dependency_order import in_order

graphs = st.integers(1, 8).flatmap(
    lambda size: st.lists(st.lists(st.integers(0, size - 1), max_size=3), min_size=size, max_size=size)
)


@given(graphs)
def test_items_outside_of_cycles_follow_those_they_need(graph: list[list[int]]) -> None:
    needed = {item: [each for each in others if each != item] for item, others in enumerate(graph)}

    order, cycles = in_order(needed)

    in_cycle = {each for cycle in cycles for each in cycle}
    assert sorted(order) == list(needed)
    assert all(set(cycle[1:]) <= needed.keys() and cycle[0] == cycle[-1] for cycle in cycles)
    for item in needed.keys() - in_cycle:
        assert all(order.index(each) < order.index(item) for each in needed[item] if each not in in_cycle)
