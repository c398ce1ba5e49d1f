"""Operations that the page keeps under names."""

import json
from pathlib import Path

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
    page.once("dialog", lambda dialog: dialog.accept("Quotes 3"))
    await panel.get_by_role("button", name="Rename Quotes 2").click()
    await expect(name).to_have_value("Quotes 3")
    await expect(panel.get_by_role("button", name="Replace")).to_be_visible()
    page.once("dialog", Dialog.accept)
    await panel.get_by_role("button", name="Delete Quotes 3").click()
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


async def test_no_operation_is_lost_by_what_cannot_be_read(playground: Playground, tmp_path: Path) -> None:
    page = playground.page
    panel = await playground.panel("Collection")
    items = panel.get_by_role("listitem")
    for kept, count in ((json.dumps([None, OTHER, {**OTHER, "query": 1}]), 1), ('{"', 0)):
        await page.evaluate("text => localStorage.setItem('/graphql mainsheet:collection', text)", kept)
        await page.reload()
        await expect(panel.get_by_role("button", name="Save")).to_be_visible()
        await expect(items).to_have_count(count)
        await panel.get_by_label("Name of the operation").fill("New")
        await panel.get_by_role("button", name="Save").click()
        await expect(items).to_have_count(count + 1)
        assert await page.evaluate("localStorage.getItem('/graphql mainsheet:collection:unreadable')") == kept

    long = [{**OTHER, "name": "x" * 100, "query": query} for query in ("{ one }", "{ two }")]
    await import_file(panel, {"mainsheetCollection": 1, "operations": long})
    await page.reload()
    await expect(items).to_have_count(3)
    page.once("dialog", Dialog.accept)
    await panel.get_by_role("button", name="Delete xxx").first.click()
    await expect(items).to_have_count(2)

    file = tmp_path / "collection.json"
    file.write_text("{}")
    await page.evaluate("addEventListener('change', event => event.stopPropagation(), { capture: true, once: true })")
    async with page.expect_file_chooser() as chooser:
        await panel.get_by_role("button", name="Import a file").click()
    await (await chooser.value).set_files(file)
    file.unlink()
    await panel.locator("input[type=file]").dispatch_event("change", {"bubbles": True})
    await expect(panel.get_by_role("alert")).to_contain_text("The file can't be read.")


async def import_file(panel: Locator, content: object) -> None:
    async with panel.page.expect_file_chooser() as chooser:
        await panel.get_by_role("button", name="Import a file").click()
    await (await chooser.value).set_files(
        {"name": "file.json", "mimeType": "application/json", "buffer": json.dumps(content).encode()}
    )
