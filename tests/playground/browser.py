"""Debian's Chromium, with network access to the server only."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal

from playwright.async_api import (
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Route,
    TimeoutError,  # noqa: A004 its own
    async_playwright,
    expect,
)
from yarl import URL

from testbed.programs import not_here

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
WORKERS = 3  # for GraphQL, for JSON, and Monaco's own
PATIENCE = 20_000  # milliseconds; other tests may share the machine
REPORT_VIOLATIONS = """
addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI, sourceFile }) =>
  console.error('policy', violatedDirective, blockedURI, sourceFile))
"""


@dataclass
class Playground:
    """The page in a browser, with its errors, policy violations and requests to other hosts."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    async def open(self, url: str) -> None:
        await self.page.goto(url)
        await expect(self.page.locator(".graphiql-query-editor .view-line").first).to_be_visible()

    async def choose(self, tab: str) -> None:
        await self.page.get_by_role("tab", name=tab).click()

    async def become(self, name: str) -> None:
        """Choose a member by arrow keys."""
        await self.page.get_by_role("button", name="You are").focus()
        await self.page.keyboard.press("Enter")
        await expect(self.page.get_by_role("menuitem").first).to_be_focused()  # keys sent earlier reach the button
        items = self.page.get_by_role("menuitem")
        place = next(index for index, each in enumerate(await items.all_inner_texts()) if name in each)
        for index in range(1, place + 1):
            await self.page.keyboard.press("ArrowDown")
            await expect(items.nth(index)).to_be_focused()  # the menu moves its focus in a timer
        await self.page.keyboard.press("Enter")
        await expect(self.page.get_by_role("button", name="You are")).to_contain_text(name)

    async def paste_token(self, token: str) -> None:
        await self.page.get_by_role("button", name="Set a token").first.click()
        await self.page.get_by_label("Token", exact=True).fill(token)
        await self.page.keyboard.press("Enter")

    async def use_token(self, token: str) -> None:
        await self.paste_token(token)
        await expect(self.page.get_by_role("dialog")).to_have_count(0)

    async def change_scheme(self, scheme: Scheme) -> None:
        await self.page.emulate_media(color_scheme=scheme)
        editor = self.page.locator(".graphiql-query-editor .monaco-editor")
        await expect(editor).to_contain_class("vs-dark" if scheme == "dark" else "vs")

    async def settle(self) -> None:
        """Wait until the editors' workers run and the page sends no more requests.

        Chromium doesn't report the end of every request of a worker, so this doesn't wait for ever.
        """
        while len(self.page.workers) < WORKERS:
            await self.page.wait_for_event("worker")
        with suppress(TimeoutError):
            await self.page.wait_for_load_state("networkidle", timeout=5_000)

    def forgive(self, text: str) -> None:
        """Discard expected errors of the browser, such as for a refused request."""
        self.complaints = [each for each in self.complaints if text not in each]

    async def run(self, line: str) -> None:
        """Run the operation that begins with this line by the keyboard."""
        editor = self.page.locator(".graphiql-query-editor")
        await editor.locator(".view-line", has_text=line).first.click(position={"x": 5, "y": 5})
        await self.page.keyboard.press("Control+Enter")

    async def run_from_menu(self, operation: str) -> None:
        button = self.page.get_by_role("button", name="Execute query")
        await expect(button).to_have_attribute("aria-haspopup", "menu")  # GraphiQL has read the operations
        await button.click()
        await self.page.get_by_role("menuitem", name=operation, exact=True).click()

    async def panel(self, name: str) -> Locator:
        await self.page.get_by_role("button", name=f"Show {name}").click()
        panel = self.page.get_by_role("region", name=name)
        await expect(panel).to_be_visible()
        return panel

    @property
    def response(self) -> Locator:
        return self.page.locator(".graphiql-response .view-lines")

    @property
    def variables(self) -> Locator:
        return self.page.locator(".graphiql-editor-tool .view-lines").first

    def hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.type}: {message.text}")


def require_chromium() -> None:
    """Skip the test where Chromium is missing; in CI, where the variable CI is set, fail it."""
    if CHROMIUM is None:
        not_here("needs Chromium: install Debian's package chromium")


@asynccontextmanager
async def opened(
    url: str, color_scheme: Scheme | None = None, reduced_motion: Literal["reduce"] | None = None
) -> AsyncIterator[Playground]:
    require_chromium()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        context = await browser.new_context(
            viewport={"width": 1440, "height": 900},
            locale="en-GB",
            color_scheme=color_scheme,
            reduced_motion=reduced_motion,
        )
        context.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        playground = Playground(await context.new_page())
        await _cut_off(context, url, playground)
        await playground.open(url)
        yield playground
        await browser.close()
    assert playground.complaints == []


async def _cut_off(context: BrowserContext, url: str, playground: Playground) -> None:
    ours = URL(url).origin()

    def is_foreign(address: str) -> bool:
        return not address.startswith(("data:", "blob:")) and URL(address).origin() != ours

    async def refuse(route: Route) -> None:
        playground.complaints.append(f"asked {route.request.url}")
        await route.abort()

    await context.add_init_script(REPORT_VIOLATIONS)
    await context.route(is_foreign, refuse)  # and no other requests, which tests may route
    context.on("console", playground.hear)
    context.on("weberror", lambda error: playground.complaints.append(str(error.error)))
