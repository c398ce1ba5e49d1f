"""The cost of a field, declared in its `metadata`, from which `server/operations/complexity.py` reads it."""

from typing import Any

CHARACTERS_OF_A_FIELD = 1_000  # a text of this length costs as much as one more field


def weight(*, characters: int = 0, items: int | None = None, work: int = 0) -> dict[str, Any]:
    """Return the metadata of a field that holds long texts or long lists, or takes CPU time.

    `characters` is the maximum length of the text. `items` is the maximum length of the list, if no argument limits it.
    `work` is the number of plain fields whose cost the computation equals; the size of the answer doesn't show it.
    """
    declared = {"weight": max(1 + characters // CHARACTERS_OF_A_FIELD, work), "work": work}
    return declared if items is None else declared | {"items": items}


BATCH = {"batch": 1}  # the lists of a field are as long as the longest list in its input
