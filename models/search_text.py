"""Search folding: applied to the text of a row and to the search term before they are compared."""

import re
from typing import Any, ClassVar
from unicodedata import normalize

from sqlalchemy import Text, event
from sqlalchemy.orm import Mapped, mapped_column

# Invisible characters that come with copied text: soft hyphens, zero-width and bidirectional characters.
INVISIBLE = [0x00AD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF]
TRANSLATED = dict.fromkeys(INVISIBLE) | {ord("\N{LATIN SMALL LETTER DOTLESS I}"): "i"}
DOTTED_I = re.compile("i\N{COMBINING DOT ABOVE}+")  # the lower case of İ


def fold(text: str) -> str:
    """Remove differences of case, of Unicode normal forms, and between the four Turkish letters i.

    This isn't done in SQL because the two databases lower different letters.
    """
    lower = normalize("NFKD", text.translate(TRANSLATED)).translate(TRANSLATED).casefold()
    return normalize("NFKC", DOTTED_I.sub("i", normalize("NFKC", lower)))


def search_text(job_key: str, name: str, description: str | None) -> str:
    """Return the text of a job that `filter.search` searches."""
    return fold("\n".join((job_key, name, description or "")))


class Searched:
    """A row that lists can search for. `search_text` is the folded text of the attributes that `SEARCHED` names."""

    SEARCHED: ClassVar[tuple[str, ...]] = ("name",)

    search_text: Mapped[str] = mapped_column(Text, server_default="")


@event.listens_for(Searched, "before_insert", propagate=True)
@event.listens_for(Searched, "before_update", propagate=True)
def _fold_texts(_mapper: Any, _connection: Any, row: Searched) -> None:
    row.search_text = fold("\n".join(getattr(row, name) or "" for name in row.SEARCHED))
