"""Explorers in a browser: pointer, touch and keys choose what the other panel shows; without
scripts the figure stays."""

import json

import pytest

from tadpool.figures import _explore
from tadpool.files import io
from tadpool.reporting.html.environment import environment
from tadpool.reporting.html.figures import Figures

PAGE = """{% extends "base.html" %}{% import "macros.html" as m with context %}{% set scripts = figures.scripts %}
{% block title %}Explorers{% endblock %}{% block body %}<main id="main">{{ m.figures_of(figures.all) }}</main>{% endblock %}"""
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 200"><path d="M0 0L300 200" style="stroke: #000000"/></svg>'
HOSTILE = "</script><script>document.title = 'run'</script>"
TANKS = {
    "name": "tank",
    "labels": ["1", "2", HOSTILE],
    "facts": [
        {"name": "Density", "values": [10, 25, 35]},
        {"name": "Predators", "values": ["absent", "present", "absent"]},
    ],
}
AXIS = {"label": "share", "observed": [0.5, 0.7, 0.9]}


def estimates(shift):
    mean = [0.4 + shift, 0.5 + shift, 0.6 + shift]
    return {"mean": mean, "low": [value - 0.1 for value in mean], "high": [value + 0.1 for value in mean]}


MANY, ALONE = (
    {"label": "many", "colour": "#0072B2", "failed": []},
    {"label": "alone", "colour": "#D55E00", "failed": [1]},
)
WORDS = [
    "sigma 0.5: elpd −90 ± 3 (SE). ",
    "sigma 1: elpd −50 ± 3 (SE), the best. ",
    "sigma 1.5: elpd −52 ± 3 (SE), a fit that failed. ",
]
SWEEP = _explore.explorer(
    "Point at a value of sigma.", {"tank": TANKS},
    [{"name": name, "words": words, "by": "tank", "axis": AXIS, "entries": [MANY | estimates(shift)]}
     for name, words, shift in zip(("0.5", "1", "1.5"), WORDS, (0.0, 0.1, 0.2), strict=True)],
    "sigma", 1,
    {"label": "sigma", "values": [0.5, 1.0, 1.5], "elpd": [-90.0, -50.0, -52.0], "se": [3.0] * 3, "failed": [2],
     "colour": "#0072B2"},
)  # fmt: skip
VIEWS = [
    {"name": "p", "words": "", "by": "tank", "axis": AXIS, "entries": [MANY | estimates(0.0), ALONE | estimates(0.3)]},
    {"name": "alpha", "words": "", "by": "tank", "axis": {"label": "alpha", "observed": None},
     "entries": [MANY | estimates(2.0)]},
]  # fmt: skip
GROUPS = _explore.explorer("Point at a tank.", {"tank": TANKS}, VIEWS, "Parameter")
LINES = _explore.explorer("Point at an arrow.", {"tank": TANKS | {"labels": ["A", "B", "C"]}}, [{
    "name": "", "words": "", "by": "tank",
    "arrows": {"start_x": [0.0, 1.0, 2.0], "start_y": [3.0, 0.0, 3.0], "end_x": [0.2, 1.0, 1.8], "end_y": [2.0, 0.5, 2.0]},
    "names": ["intercept", "slope"], "returns_prior": [False, True, False],
    "predictor": {"label": "floor", "grid": [0, 1], "ticks": {"0": "basement", "1": "first floor"}}, "outcome": "radon",
    "points": [{"x": [0, 1], "y": [1.0, 2.0]}, {"x": [0, 0, 0], "y": [1.0, 1.2, 1.4]}, {"x": [1], "y": [0.5]}],
    "entries": [
        {"label": label, "colour": colour, "failed": [],
         "mean": [[0.1, 3.0]] * 3, "low": [[0.0, 2.0]] * 3, "high": [[0.3, 4.0]] * 3}
        for label, colour in (("alone", "#D55E00"), ("together", "#009E73"))
    ],
}])  # fmt: skip
EXPLORED = {"sweep": SWEEP, "groups": GROUPS, "lines": LINES}


@pytest.fixture(scope="module")
def explorers(tmp_path_factory):
    """A page with an explorer of each sort."""
    folder = tmp_path_factory.mktemp("explorers")
    listing = []
    for name, data in EXPLORED.items():
        listing.append(
            {"name": name, "section": "story", "title": name, "caption": "Look.", "alt": name, "explorer": True}
        )
        io.write_text(folder / f"{name}.svg", SVG)
        io.write_text(folder / f"{name}.json", json.dumps(data))
    io.write_json(folder / "figures.json", listing)
    page = environment().from_string(PAGE).render(figures=Figures(folder), quick=False)
    io.write_text(folder / "index.html", page)
    return folder / "index.html"


def panels(page, kind):
    return page.locator(f"#explore-figure-{kind} .panel")


def readout(page, kind):
    return page.locator(f"#explore-figure-{kind} .readout").inner_text().replace("\N{NO-BREAK SPACE}", " ")


def hover(page, panel, across, up):
    """Move the pointer to shares of the plotting area of a panel."""
    panel.scroll_into_view_if_needed()
    box = panel.bounding_box()
    width, height = box["width"] - 76, box["height"] - 58
    page.mouse.move(box["x"] + 62 + across * width, box["y"] + 14 + (1 - up) * height)


def test_without_scripts_the_figures_are_shown_alone(visit, explorers):
    page = visit(explorers, java_script_enabled=False)
    assert page.locator("figure svg").count() == 3
    assert all(page.locator("figure svg").nth(i).is_visible() for i in range(3))
    assert not any(page.locator(".explorer").nth(i).is_visible() for i in range(3))


def test_pointing_at_a_value_shows_its_posterior(visit, explorers):
    page = visit(explorers)
    curve, units = panels(page, "sweep").all()
    assert readout(page, "sweep").startswith("sigma 1: elpd −50 ± 3 (SE), the best. Tank 1, observed 0.500.")
    hover(page, curve, 0.97, 0.5)
    assert "sigma 1.5" in readout(page, "sweep")
    assert "a fit that failed" in readout(page, "sweep")
    assert "Tank 1, observed 0.500. Posterior mean and 89 % interval of share: many 0.600 (0.500 to 0.700)." in readout(
        page, "sweep"
    )
    hover(page, units, 0.5, 0.5)
    assert "many 0.700" in readout(page, "sweep")
    assert page.locator("#explore-figure-sweep .known").inner_text().split() == [
        "Density",
        "25",
        "Predators",
        "present",
    ]


def test_arrow_keys_choose_and_say_what_is_chosen(visit, explorers):
    page = visit(explorers)
    curve, units = panels(page, "sweep").all()
    curve.focus()
    page.keyboard.press("ArrowLeft")
    assert curve.get_attribute("aria-valuetext") == "0.5"
    assert "sigma 0.5: elpd −90" in readout(page, "sweep")
    page.keyboard.press("Tab")
    page.keyboard.press("End")
    assert units.get_attribute("aria-valuenow") == "3"
    assert f"Tank {HOSTILE}, observed 0.900." in readout(page, "sweep")
    assert page.locator("#explore-figure-sweep .readout").get_attribute("aria-live") == "polite"
    outline = units.evaluate("element => getComputedStyle(element).outlineStyle")
    assert outline == "solid"


def test_a_member_shows_its_data_and_every_model(visit, explorers):
    page = visit(explorers)
    (panel,) = panels(page, "groups").all()
    hover(page, panel, 0.5, 0.5)
    rows = page.locator("#explore-figure-groups tbody tr").all_inner_texts()
    assert [row.split("\t") for row in rows] == [
        ["many", "0.500", "0.400 to 0.600"],
        ["alone: failed for this tank", "0.800", "0.700 to 0.900"],
    ]
    assert "Tank 2, observed 0.700." in readout(page, "groups")
    page.get_by_label("Parameter").select_option("alpha")
    assert "Posterior mean and 89 % interval of alpha: many 2.50 (2.40 to 2.60)." in readout(page, "groups")
    page.locator("#explore-figure-groups select").nth(1).select_option("1")
    assert "many 2.40" in readout(page, "groups")


def test_an_arrow_shows_its_data_and_both_lines(visit, explorers):
    page = visit(explorers)
    where, beside = panels(page, "lines").all()
    assert readout(page, "lines").startswith("A, posterior means.")
    hover(page, where, 0.5, 0.06)
    assert "B, posterior means. alone: intercept 1, slope 0. together: intercept 1, slope 0.500." in readout(
        page, "lines"
    )
    assert "its slope returns its prior" in readout(page, "lines")
    assert beside.locator("circle, path.observed").count() == 3
    hover(page, where, 0.5, 0.6)
    assert readout(page, "lines").startswith("B")
    where.focus()
    page.keyboard.press("End")
    assert readout(page, "lines").startswith("C")
    assert beside.locator("path.observed").count() == 1


def test_a_tap_chooses_on_a_phone(visit, explorers):
    page = visit(explorers, viewport={"width": 390, "height": 800}, has_touch=True)
    panel = panels(page, "groups").first
    panel.scroll_into_view_if_needed()
    box = panel.bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] - 20, box["y"] + 100)
    assert panel.get_attribute("aria-valuenow") == "3"
    first, second = (each.bounding_box() for each in panels(page, "lines").all())
    assert second["y"] >= first["y"] + first["height"]
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_no_unit_runs_and_print_shows_figures_alone(visit, explorers):
    page = visit(explorers)
    assert page.title() == "Explorers"
    assert page.locator("script").count() == 5
    page.emulate_media(media="print")
    assert not any(page.locator(".explorer").nth(i).is_visible() for i in range(3))
    assert page.locator("figure svg").first.is_visible()
