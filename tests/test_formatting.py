"""Numbers are legible whatever the unit of measurement."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tadpool.formatting import (
    among,
    an,
    decimals_for,
    digits_for,
    general,
    measured,
    member,
    number,
    plural,
    scaled,
    with_minus,
)

SIGNIFICANT = "123456789"
FACTORS = st.floats(-12, 12).map(lambda power: 10.0**power)


def read(text):
    return float(text.replace(",", "").replace("−", "-"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (scaled(4.0e-7, 1.2e-8), "4.000e−7"),
        (scaled(1.2e-8, 1.2e-8), "1.20e−8"),
        (scaled(-5.784e7, 1.31e7), "−5.78e7"),
        (scaled(5.784e7, 1.2e5), "5.7840e7"),
        (scaled(5784.1, 21.3), "5,784.1"),
        (scaled(1.2e5, 1.2e5), "120,000"),
        (scaled(0.0, 1e-9), "0"),
        (scaled(1.0, 1e-7), "1.000000000"),
        (measured(4.0e-7), "4.0e−7"),
        (measured(0.012), "0.012"),
        (measured(12.3456, 2), "12.35"),
        (measured(0.0), "0.000"),
        (measured(2165751000.0), "2.1658e9"),
        (measured(None), "—"),
        (measured(1.7e9 + 3.714, scale=5.52), "1,700,000,003.7"),
        (measured(2165751000.0, scale=3e8), "2.1658e9"),
        (measured(5.0000012, scale=3e-7), "5.00000120"),
        (measured(7.306, scale=1.9), "7.306"),
        (general(1.7e9 + 3.714, digits_for(1.7e9, 5.52, 6)), "1700000003.7"),
        (general(7.31, digits_for(7.31, 0.0, 6)), "7.31"),
        (number(1e-9, 2), "0.00"),
        (general(4e-7), "4e−7"),
        (general(2.5e12), "2.5e12"),
        (general(0.25), "0.25"),
    ],
)
def test_numbers_of_a_unit(text, expected):
    assert text == expected


@settings(deadline=None, derandomize=True)
@given(st.floats(-9.99, 9.99).filter(lambda x: abs(x) > 1e-3), FACTORS)
def test_no_measurement_is_shown_as_zero_or_as_a_row_of_digits(value, factor):
    """And what is shown is the number itself, within half of its last digit."""
    for text, precision in ((scaled(value * factor, abs(value * factor)), 6e-3), (measured(value * factor), 6e-2)):
        assert any(digit in text for digit in SIGNIFICANT)
        assert len(text) <= len("−12,345,678.123")
        assert read(text) == pytest.approx(value * factor, rel=precision)


@settings(deadline=None, derandomize=True)
@given(st.floats(0.11, 9.9), st.floats(-99, 99), FACTORS)
def test_a_mean_is_rounded_to_three_digits_of_its_standard_deviation_in_any_unit(sd, mean, factor):
    shown = read(scaled(mean * factor, sd * factor))
    assert abs(shown - mean * factor) <= (0.5 + 1e-6) * 10.0 ** -decimals_for(sd * factor)


def test_numpy_numbers_are_numbers():
    assert scaled(np.float64(4.0e-7), np.float32(1.2e-8)) == "4.000e−7"


@pytest.mark.parametrize(
    ("noun", "expected"),
    [
        ("income", "an income"),
        ("county", "a county"),
        ("Area", "an Area"),
        ("unit", "a unit"),
        ("user", "a user"),
        ("hour", "an hour"),
        ("umbrella", "an umbrella"),
        ("sd", "an sd"),
        ("MRI", "an MRI"),
        ("X-ray", "an X-ray"),
        ("UFO", "a UFO"),
        ("ID", "an ID"),
        ("8-week course", "an 8-week course"),
        ("11", "an 11"),
        ("110", "a 110"),
        ("1-day course", "a 1-day course"),
        ("unimportant row", "an unimportant row"),
        ("ewe", "a ewe"),
        ("honey", "a honey"),
        ("European", "a European"),
    ],
)
def test_a_noun_has_its_article(noun, expected):
    assert an(noun) == expected


@pytest.mark.parametrize(
    ("noun", "expected"),
    [
        ("county", "counties"),
        ("house", "houses"),
        ("class", "classes"),
        ("school_child", "school_children"),
        ("woman", "women"),
        ("species", "species"),
        ("g", "gs"),
        ("ID", "IDs"),
        ("SITES", "SITESs"),
        ("plot_2", "plot_2s"),
    ],
)
def test_a_noun_has_its_plural(noun, expected):
    assert plural(noun) == expected


def test_hyphens_before_numbers_become_minus_signs_and_no_others():
    assert with_minus("-1.5 to -0.2, x-3, 2024-05, 1e-5 (-2), a-b") == "−1.5 to −0.2, x-3, 2024-05, 1e-5 (−2), a-b"


def test_counts_among_many_have_separators():
    assert among(0, 10_000) == "0 of 10,000"


def test_a_member_is_not_called_by_its_group_twice():
    assert member("tank", "3") == "tank 3"
    assert member("School", "school A") == "school A"
