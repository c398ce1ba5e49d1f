"""How a search compares texts: folded, both what a job is searched by and what is searched for."""

import re
from unicodedata import normalize

# Invisible characters that arrive with copied text: the soft hyphen, zero-width and bidirectional characters.
INVISIBLE = [0x00AD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF]
TRANSLATED = dict.fromkeys(INVISIBLE) | {ord("\N{LATIN SMALL LETTER DOTLESS I}"): "i"}
DOTTED_I = re.compile("i\N{COMBINING DOT ABOVE}+")  # what İ is in lower case


def fold(text: str) -> str:
    """Remove differences of case, of Unicode's normal forms, and between the four Turkish letters i.

    It is done here, not in SQL: the databases know the lower case of different letters.
    """
    lower = normalize("NFKD", text.translate(TRANSLATED)).translate(TRANSLATED).casefold()
    return normalize("NFKC", DOTTED_I.sub("i", normalize("NFKC", lower)))


def search_text(job_key: str, name: str, description: str | None) -> str:
    """Return the text in which `filter.search` looks."""
    return fold("\n".join((job_key, name, description or "")))
