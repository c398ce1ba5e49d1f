"""Pictures of each panel, dialog and menu, for people to look at: `make screenshots` writes them to dist/screenshots.

docs/playground.png is `laptop-light-version-history.png`.
"""

import re
from pathlib import Path

import pytest

from tests.playground.browser import SCHEMES, opened
from tests.playground.conftest import Demo
from tests.playground.views import Views, views_of_demo, views_without_demo

FOLDER = Path(__file__).parents[2] / "dist/screenshots"
WINDOWS = {"laptop": (1280, 800), "phone": (390, 844), "enlarged": (640, 400)}


@pytest.mark.parametrize("window", WINDOWS)
async def test_pictures_of_the_demo(demo: Demo, window: str) -> None:
    await take(demo, window, views_of_demo)


@pytest.mark.parametrize("window", WINDOWS)
async def test_pictures_outside_the_demo(no_demo: Demo, window: str) -> None:
    await take(no_demo, window, views_without_demo)


async def take(demo: Demo, window: str, views: Views) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    width, height = WINDOWS[window]
    async with opened(demo.url, reduced_motion="reduce") as playground:
        page = playground.page
        await page.set_viewport_size({"width": width, "height": height})
        async for name, _ in views(playground, demo):
            for scheme in SCHEMES:
                await playground.change_scheme(scheme)
                file = f"{window}-{scheme}-{re.sub(r'[^a-z]+', '-', name.lower())}.png"
                await page.screenshot(path=FOLDER / file, animations="disabled", caret="initial")
