import pytest

from mainsheet.models.database import Database
from testbed.ask import Ask


@pytest.fixture
def ask(database: Database) -> Ask:
    return Ask(database)
