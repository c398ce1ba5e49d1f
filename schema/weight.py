"""What a field can cost, declared beside it: `server/operations/complexity.py` reads it from the field's `metadata`."""

from typing import Any

CHARACTERS_OF_A_FIELD = 1_000  # a text of so many costs as much as another field


def weight(*, characters: int = 0, items: int | None = None, work: int = 0) -> dict[str, Any]:
    """Return the metadata of a field that holds long texts, a list of more items than a few, or takes CPU time.

    `characters` is the longest that a text can be, `items` the most that the list can have where no argument says so,
    `work` as many other fields as computing it takes: the size of the answer doesn't show that.
    """
    declared = {"weight": max(1 + characters // CHARACTERS_OF_A_FIELD, work), "work": work}
    return declared if items is None else declared | {"items": items}
