"""Pages of small made-up results, rendered once, and a headless Chromium without a network to open
them in."""

import os

import pytest
from playwright.sync_api import sync_playwright

from tests.made import programs
from tests.made.site import write_pages


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The folder of all pages."""
    folder = tmp_path_factory.mktemp("site")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_pages(folder)
    return folder / "results"


@pytest.fixture(scope="session")
def chromium():
    """The browser."""
    program = programs.require("A page in a browser", "chromium", "chromium", "google-chrome")
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium, site):
    """visit(name, **options of the context): a page, opened without a network; what goes wrong in
    it fails the test."""
    wrong, contexts = [], []

    def visited(name, before="", **options):
        context = chromium.new_context(offline=True, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: wrong.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (wrong.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: request.url.startswith("file:") or wrong.append(f"request: {request.url}"))
        page.add_init_script(before)
        page.goto((site / name).as_uri())
        return page

    yield visited
    for context in contexts:
        context.close()
    assert wrong == []
