"""The page of the settings is current and complete."""

from mainsheet.server.settings import Settings
from tests.server.settings_page import PAGE, page


def test_the_page_of_the_settings_is_current() -> None:
    assert PAGE.read_text("utf-8") == page(), "run `make settings`"


def test_every_setting_has_a_row_with_its_values() -> None:
    rows = [line.split(" | ") for line in page().splitlines() if line.startswith("| `MAINSHEET_")]

    assert len(rows) == len(Settings.model_fields)
    by_name = {row[0].strip("| `"): row[1:] for row in rows}
    assert by_name["MAINSHEET_LOG_FORMAT"][:2] == ["`console`", "`console`, `json`"]
    assert by_name["MAINSHEET_POOL_SIZE"][:2] == ["`10`", "2 to 1,000"]
    assert by_name["MAINSHEET_TOKEN_CACHE_SECONDS"][1] == "0 to 60"
    assert by_name["MAINSHEET_BODY_TIMEOUT_SECONDS"][1] == "more than 0"
    assert by_name["MAINSHEET_DEMO"][1] == "`true`, `false`"
    assert "MAINSHEET_DATABASE_URL_FILE" in by_name["MAINSHEET_DATABASE_URL"][2]
