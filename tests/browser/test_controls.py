"""The theme switch, sorting and filtering, and the glossary; with and without scripts."""

import re
import shutil
import subprocess

import pytest

import tadpool

BACKGROUND = "() => getComputedStyle(document.body).backgroundColor"
LIGHT, DARK = "rgb(255, 255, 255)", "rgb(20, 25, 31)"
NO_STORAGE = (
    "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('denied', 'SecurityError'); } });"
)


def theme(page, name):
    return page.get_by_role("group", name="Colours").get_by_role("button", name=name)


@pytest.mark.parametrize(("scheme", "colour"), [("light", LIGHT), ("dark", DARK)])
def test_a_page_follows_the_system_with_and_without_scripts(visit, scheme, colour):
    for scripts in (True, False):
        page = visit("tiny/index.html", color_scheme=scheme, java_script_enabled=scripts)
        assert page.evaluate(BACKGROUND) == colour
        assert theme(page, "Auto").count() == (1 if scripts else 0)


def test_a_chosen_theme_holds_for_figures_and_the_next_page(visit, site):
    page = visit("tiny/index.html", color_scheme="light")
    ink = "() => getComputedStyle(document.querySelector('figure svg g')).fill"
    before = page.evaluate(ink)
    theme(page, "Dark").click()
    assert page.evaluate(BACKGROUND) == DARK
    assert page.evaluate(ink) != before
    assert theme(page, "Dark").get_attribute("aria-pressed") == "true"
    assert theme(page, "Auto").get_attribute("aria-pressed") == "false"
    page.goto((site / "index.html").as_uri())
    for _ in range(20):  # Chromium tells other pages a moment later what one page remembers
        if page.evaluate(BACKGROUND) == DARK:
            break
        page.wait_for_timeout(100)
        page.reload()
    assert page.evaluate(BACKGROUND) == DARK
    assert theme(page, "Dark").get_attribute("aria-pressed") == "true"
    theme(page, "Auto").press("Enter")
    assert page.evaluate(BACKGROUND) == LIGHT


def test_a_theme_can_be_chosen_where_nothing_is_remembered(visit):
    page = visit("index.html", before=NO_STORAGE, color_scheme="light")
    theme(page, "Dark").click()
    assert page.evaluate(BACKGROUND) == DARK
    page.reload()
    assert page.evaluate(BACKGROUND) == LIGHT


def column(page, heading):
    """The texts of one column of the table of all fits, of the rows that are shown."""
    table = page.locator("#all-fits")
    texts = [text.strip() for text in table.locator("thead th").all_inner_texts()]
    place = next(i for i, text in enumerate(texts) if text.startswith(heading))
    rows = table.locator("tbody tr:visible")
    return [rows.nth(i).locator("th, td").nth(place).inner_text().strip() for i in range(rows.count())]


def test_all_fits_are_sorted_by_a_column(visit):
    page = visit("index.html")
    table = page.locator("#all-fits")
    first = column(page, "Fit")
    heading = table.locator("thead th", has_text="Seconds")
    assert heading.get_attribute("aria-sort") is None
    button = page.get_by_role("button", name="Sort by Seconds")
    button.click()
    assert column(page, "Seconds") == ["12.3", "1,003.2", "—", "—", "—", "—"]
    assert heading.get_attribute("aria-sort") == "ascending"
    button.press("Enter")
    assert column(page, "Seconds") == ["1,003.2", "12.3", "—", "—", "—", "—"]
    assert heading.get_attribute("aria-sort") == "descending"
    missing = [fit for fit in first if fit in column(page, "Fit")[2:]]
    assert column(page, "Fit")[2:] == missing, "those without a number keep their order"
    page.get_by_role("button", name="Sort by Verdict").press("Space")
    assert heading.get_attribute("aria-sort") is None
    assert column(page, "Fit") == first, "failed fits stand first from the start"
    page.get_by_role("button", name="Sort by Verdict").click()
    verdicts = column(page, "Verdict")
    assert "pass" in verdicts[0]
    assert not any("pass" in verdict for verdict in verdicts[-2:])
    page.get_by_role("button", name="Sort by Verdict").click()
    assert column(page, "Fit") == first


def test_all_fits_are_filtered_by_words_and_verdicts(visit):
    page = visit("index.html")
    status = page.get_by_role("status")
    assert status.inner_text() == "6 of 6 shown"
    assert status.evaluate("(element) => element.getAttribute('aria-live') ?? element.role") in ("status", "polite")
    page.get_by_label("Filter", exact=True).fill("GROUPS /")
    assert [fit.split()[-1] for fit in column(page, "Fit")] == ["alone", "shared"]
    assert status.inner_text() == "2 of 6 shown"
    chip = page.locator(".filter button[value=fail]")
    chip.press("Enter")
    assert chip.get_attribute("aria-pressed") == "true"
    assert [fit.split()[-1] for fit in column(page, "Fit")] == ["alone"]
    page.get_by_label("Filter", exact=True).fill("no such fit")
    assert status.inner_text() == "0 of 6 shown"
    page.get_by_label("Filter", exact=True).fill("")
    assert len(column(page, "Fit")) == 3
    chip.click()
    assert len(column(page, "Fit")) == 6


def test_long_tables_of_a_study_are_sorted_too(visit):
    page = visit("tiny/index.html")
    page.evaluate("() => document.querySelectorAll('details').forEach((details) => { details.open = true; })")
    table = page.locator("table.sortable", has_text="theta").first
    values = table.locator("tbody td:nth-child(2)")
    table.get_by_role("button", name="Sort by Mean").click()
    numbers = [float(text.replace("−", "-")) for text in values.all_inner_texts()]
    assert len(numbers) > 8
    assert numbers == sorted(numbers)


def test_without_scripts_all_is_readable_and_nothing_is_dead(visit):
    page = visit("index.html", java_script_enabled=False)
    assert len(column(page, "Fit")) == 6
    assert page.locator("button:visible, input:visible").count() == 0
    term = page.locator("#all-fits a.term").first
    term.click()
    assert page.url.endswith("#term-r-hat")
    assert page.locator("#definition-r-hat").is_visible()


def test_a_term_is_defined_on_hover_and_on_focus(visit):
    page = visit("tiny/index.html")
    page.locator("#estimates > details > summary").click()
    box = page.locator(".definition")
    term = page.locator("#estimates a.term", has_text="MCSE").first
    assert not box.is_visible()
    term.hover()
    assert "Monte Carlo standard error" in box.inner_text()
    assert page.locator("#definition-mcse").inner_text() in box.inner_text()
    assert re.search(r"\(\d{4}\)", box.inner_text()), "with a reference"
    box.hover()
    page.wait_for_timeout(300)
    assert box.is_visible(), "the pointer may move onto it"
    page.keyboard.press("Escape")
    assert not box.is_visible()
    other = page.locator("#estimates th a.term", has_text="R-hat").first
    other.focus()
    assert box.is_visible()
    described = other.get_attribute("aria-describedby")
    assert page.locator(f"#{described}").inner_text() in box.inner_text()
    page.keyboard.press("Escape")
    assert not box.is_visible()
    other.press("Enter")
    assert page.url.endswith("#term-r-hat")


def test_a_definition_stays_on_a_narrow_page(visit):
    page = visit("tiny/index.html", viewport={"width": 390, "height": 800})
    page.locator("#estimates > details > summary").click()
    page.locator("#estimates th a.term", has_text="R-hat").first.focus()
    place = page.locator(".definition").bounding_box()
    assert place["x"] >= 0
    assert place["x"] + place["width"] <= 390


def test_a_first_touch_defines_and_a_second_follows(visit):
    page = visit("index.html", has_touch=True, viewport={"width": 390, "height": 800})
    box = page.locator(".definition")
    term = page.locator("#all-fits a.term", has_text="R-hat").first
    term.tap()
    assert box.is_visible()
    assert "#" not in page.url
    page.locator("h1").tap()
    assert not box.is_visible()
    term.tap()
    term.tap()
    assert page.url.endswith("#term-r-hat")


def test_print_leaves_controls_out_and_the_glossary_in(visit):
    page = visit("index.html", color_scheme="dark")
    page.locator("#all-fits th a.term").first.focus()
    page.emulate_media(media="print", color_scheme="dark")
    assert page.locator("button:visible, input:visible, .definition:visible").count() == 0
    assert page.locator("#definition-r-hat").is_visible()
    assert page.evaluate("() => getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    assert page.evaluate(BACKGROUND) == LIGHT


def test_sections_of_the_appendix_are_closed_until_a_link_leads_into_them(visit):
    page = visit("tiny/index.html")
    card = page.locator("#model-first")
    assert not card.is_visible()
    link = page.locator("nav.contents a[href='#models']")
    link.click()
    assert card.is_visible()
    page.locator("#models > details > summary").click()
    assert not card.is_visible()
    link.click()
    assert card.is_visible(), "the same address opens it once more"
    page.goto(page.url.partition("#")[0] + "#model-second")
    assert page.locator("#model-second").is_visible(), "what lies inside a closed section"


def test_print_shows_closed_sections(visit):
    page = visit("tiny/index.html")
    page.emulate_media(media="print")
    page.evaluate("() => dispatchEvent(new Event('beforeprint'))")
    assert page.locator("#model-first").is_visible()
    page.evaluate("() => dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    assert not page.locator("#model-first").is_visible()


def test_make_pdf_prints_the_results_alone(visit, site, tmp_path):
    """`make pdf` in a folder with results; the address that it prints hides the appendix."""
    page = visit("tiny/index.html")
    page.goto(page.url + "?print=results")
    page.emulate_media(media="print")
    page.evaluate("() => dispatchEvent(new Event('beforeprint'))")
    assert page.locator("h1").is_visible()
    assert page.locator("#limits").is_visible()
    assert page.locator("#appendix, details:not([open]):visible").locator("visible=true").count() == 0
    shutil.copytree(site, tmp_path / "results")
    done = subprocess.run(
        ["make", "-f", tadpool.ROOT / "Makefile", "pdf"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    made = sorted(tmp_path.glob("results/*/results.pdf"))
    assert {each.parent.name for each in made} >= {"tiny", "groups"}
    assert {each.read_bytes()[:5] for each in made} == {b"%PDF-"}


def test_the_results_fit_five_screens_and_the_closed_page_twelve(visit):
    page = visit("groups/index.html", viewport={"width": 1280, "height": 900})
    assert page.evaluate("() => document.getElementById('appendix').getBoundingClientRect().top + scrollY") <= 5 * 900
    assert page.evaluate("() => document.documentElement.scrollHeight") <= 12 * 900
