"""Ids: a type prefix, a timestamp and random characters.

An id has 20 characters: two letters for the type, nine in Crockford base 32 for the milliseconds since 1970 (so
that ids of one type grow with time and inserts stay local in an index), and nine random ones (45 bits, so that
other ids can't be guessed).
"""

import secrets
from datetime import UTC, datetime
from random import Random

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CHANCE_BITS = 45
_chance = secrets.SystemRandom()


def new_id(prefix: str, at: datetime | None = None, chance: Random = _chance) -> str:
    """Return a fresh id; ``at`` and ``chance`` make the demo data the same in every run."""
    milliseconds = int((at or datetime.now(UTC)).timestamp() * 1000)
    return prefix + _base32(milliseconds) + _base32(chance.getrandbits(_CHANCE_BITS))


def _base32(number: int) -> str:
    return "".join(ALPHABET[number >> shift & 31] for shift in range(40, -1, -5))
