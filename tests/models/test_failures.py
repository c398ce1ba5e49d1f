"""The classification of database errors, tested with the drivers' exceptions."""

import sqlite3

import asyncpg  # type: ignore[import-untyped]  # has no stubs
import pytest
from sqlalchemy.exc import DBAPIError

from mainsheet.models.failures import failure_of, is_collision, is_invalid_text
from mainsheet.models.unavailable import Locked


def wrapped(error: Exception) -> DBAPIError:
    return DBAPIError("SELECT 1", None, error)


def busy(name: str) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorname = name
    return error


@pytest.mark.parametrize(
    "error",
    [asyncpg.SerializationError(""), asyncpg.DeadlockDetectedError(""), busy("SQLITE_BUSY"), busy("SQLITE_LOCKED")],
    ids=["serialization", "deadlock", "busy", "locked"],
)
def test_a_lock_conflict_is_a_collision_and_then_a_failure(error: Exception) -> None:
    assert is_collision(wrapped(error))
    assert isinstance(failure_of(wrapped(error)), Locked)


@pytest.mark.parametrize("error", [asyncpg.UniqueViolationError(""), asyncpg.ForeignKeyViolationError("")], ids=repr)
def test_a_broken_constraint_is_a_collision_and_no_failure(error: Exception) -> None:
    assert is_collision(wrapped(error))
    assert failure_of(wrapped(error)) is None


def test_a_text_that_cannot_be_stored_is_neither() -> None:
    error = asyncpg.CharacterNotInRepertoireError("")

    assert is_invalid_text(wrapped(error))
    assert is_invalid_text(error)
    assert not is_collision(wrapped(error))
    assert failure_of(wrapped(error)) is None
    assert not is_invalid_text(wrapped(asyncpg.UniqueViolationError("")))
