"""Operations that the page keeps under names."""

import json

from playwright.async_api import Dialog, Locator, expect

from tests.playground.browser import Playground
from tests.playground.conftest import Demo
from tests.playground.test_sharing import QUOTES, VARIABLES, write

OTHER = {"name": "Jobs/Mine", "query": "{ me { id } }", "variables": ""}


async def test_operations_are_kept_under_names(playground: Playground, demo: Demo) -> None:
    page = playground.page
    await write(playground, QUOTES, VARIABLES)
    panel = await playground.panel("Collection")
    name = panel.get_by_label("Name of the operation")
    await expect(name).to_have_value("Quotes")
    await panel.get_by_role("button", name="Save").click()
    await expect(panel.get_by_role("status")).to_have_text("Quotes was saved.")
    await name.fill("Jobs/Search")
    await panel.get_by_role("button", name="Save").click()
    await expect(panel.get_by_role("list", name="Jobs")).to_contain_text("Search")
    page.once("dialog", lambda dialog: dialog.accept("Quotes 2"))
    await panel.get_by_role("button", name="Rename Quotes").click()

    await page.reload()
    await panel.get_by_role("button", name="Quotes 2 query").click()
    await expect(name).to_have_value("Quotes 2")
    await expect(panel.get_by_role("button", name="Replace")).to_be_visible()
    await expect(playground.variables).to_contain_text("it's a")
    page.once("dialog", Dialog.accept)
    await panel.get_by_role("button", name="Delete Quotes 2").click()
    await expect(panel.get_by_role("listitem")).to_have_count(1)

    async with page.expect_download() as download:
        await panel.get_by_role("button", name="Export as a file").click()
    file = json.loads((await (await download.value).path()).read_text())
    assert file["operations"] == [{"name": "Jobs/Search", "query": QUOTES, "variables": VARIABLES}]
    stored = await page.evaluate("JSON.stringify({ ...localStorage })")
    assert not any(token in stored for token in demo.tokens.values())

    await import_file(panel, {**file, "operations": [*file["operations"], OTHER, {**OTHER, "name": "Jobs/Search"}]})
    await expect(panel.get_by_role("status")).to_have_text(
        "2 operations were added, and 1 operation was already there."
    )
    await expect(panel.get_by_role("list", name="Jobs").get_by_role("listitem")).to_contain_text(
        ["Mine", "Search", "Search 2"]
    )
    wrong_files: tuple[object, ...] = ({**file, "operations": [{"name": "x"}]}, {"operations": []}, [])
    for wrong in wrong_files:
        await import_file(panel, wrong)
        await expect(panel.get_by_role("alert")).to_have_text(
            "The file is not a collection that this page has exported."
        )
    page.once("dialog", lambda dialog: dialog.accept("Jobs/Mine"))
    await panel.get_by_role("button", name="Rename Jobs/Search", exact=True).click()
    await expect(panel.get_by_role("alert")).to_contain_text("There is already an operation with the name Jobs/Mine")
    await import_file(panel, {**file, "operations": [{**OTHER, "name": "Huge", "query": "#" * 6_000_000}]})
    await expect(panel.get_by_role("alert")).to_contain_text("Nothing was saved: the browser's storage")
    await expect(panel.get_by_role("listitem")).to_have_count(3)


async def import_file(panel: Locator, content: object) -> None:
    async with panel.page.expect_file_chooser() as chooser:
        await panel.get_by_role("button", name="Import a file").click()
    await (await chooser.value).set_files(
        {"name": "file.json", "mimeType": "application/json", "buffer": json.dumps(content).encode()}
    )
