"""What the figures of test quantities and LOO-PIT take from result files: what counts, and of which
unit."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from tadpool.evaluation import predictive_checks
from tadpool.figures import NotDrawn, _style, loo_pit, new_group, test_quantities

CHAINS, DRAWS, UNITS = 2, 50, 40
SAMPLE = ("chain", "draw")


@pytest.fixture(scope="module")
def results():
    """Visits, what is bought of two items by those who visit, levels, and counts; the first unit
    was fitted again."""
    rng = np.random.default_rng(1)
    shape = (CHAINS, DRAWS, UNITS)
    visits, drawn_visits = rng.binomial(1, 0.6, UNITS), rng.binomial(1, 0.6, shape)
    bought, drawn_bought = rng.binomial(1, 0.3, (UNITS, 2)), rng.binomial(1, 0.3, (*shape, 2))
    observed = {
        "visit": ("unit", visits),
        "bought": (("unit", "item"), bought * visits[:, None]),
        "level": ("unit", rng.integers(0, 4, UNITS), {"units": _style.STEPS}),
        "count": ("unit", rng.poisson(3, UNITS)),
        "number": ("unit", rng.normal(size=UNITS)),
    }
    predictive = {
        "visit": drawn_visits,
        "bought": drawn_bought * drawn_visits[..., None],
        "level": rng.integers(0, 4, shape),
        "count": rng.poisson(3, shape),
        "number": rng.normal(size=shape),
    }
    group = {name: ((*SAMPLE, *np.atleast_1d(observed[name][0])), value) for name, value in predictive.items()}
    coords = {"unit": np.arange(UNITS), "chain": range(CHAINS), "draw": range(DRAWS), "item": ["a", "b"]}
    predicted = xr.Dataset(group, coords)
    scores = xr.Dataset(
        {"joint": ((*SAMPLE, "unit"), rng.normal(0, 0.1, shape))}, {k: coords[k] for k in (*SAMPLE, "unit")}
    )
    method = np.where(np.arange(UNITS) == 0, "refit", "psis")
    pointwise = xr.Dataset({"method": ("unit", method), "elpd": ("unit", np.zeros(UNITS)), "total_doubtful": 1})
    apart = (predicted.isel(unit=[0]) * 0).assign_coords(unit=[0])
    loo = xr.DataTree.from_dict({"loo": pointwise.assign_coords(unit=coords["unit"]), "predictive": apart})
    fit = xr.DataTree.from_dict({"posterior_predictive": predicted, "log_likelihood": scores})
    fit.attrs["status"] = "ok"
    kinds = {"visit": "BernoulliLogits", "bought": "BernoulliLogits", "level": "OrderedLogistic", "count": "Poisson"}
    prior = xr.DataTree(xr.Dataset(attrs={"relations": json.dumps({"sample_dist": kinds}), "status": "ok"}))
    data = xr.Dataset(observed, {"unit": coords["unit"], "item": coords["item"]}).assign(
        group_index=("unit", np.arange(UNITS) % 3)
    )
    config = {"outcomes": list(predictive), "unit": "unit", "groups": ["group"], "observed_where": {"bought": "visit"}}
    return SimpleNamespace(
        config=config, data=data, entries=["e"], fit=lambda _: fit, loo=lambda _: loo, prior=lambda _: prior,
        label=lambda _: "e", check=lambda _: {"verdict": "pass"},
    )  # fmt: skip


def test_only_those_who_visit_are_asked_what_they_buy(results):
    numbers = predictive_checks.table(test_quantities.outcomes(results, "e")).set_index(
        ["outcome", "quantity", "group"]
    )
    predicted = results.fit("e")["posterior_predictive"]
    visits, bought = results.data["visit"].values == 1, results.data["bought"].values
    row = numbers.loc[("bought[b]", "share of zeros", "")]
    assert row["observed"] == pytest.approx(1 - bought[visits, 1].mean())
    drawn = predicted["bought"].sel(item="b").where(predicted["visit"] == 1).mean("unit")
    assert row["mean"] == pytest.approx(1 - float(drawn.mean()))
    assert numbers.loc[("visit", "share of zeros", ""), "observed"] == pytest.approx(1 - visits.mean())
    assert ("level", "share of 4", "") in numbers.index
    assert numbers.loc[("number", "mean", "group"), "members"] == 3


def test_combinations_of_predictors_show_what_the_predictors_alone_do_not(results):
    """Each predictor's two levels have the same mean, and so has each in the model, which has no
    interaction."""
    a, b = np.arange(UNITS) % 2, np.arange(UNITS) // 2 % 2
    shifted = results.data["number"] + 3.0 * np.where(a == b, 1, -1)
    results.data = results.data.assign(a=("unit", a), b=("unit", b), number=shifted)
    numbers = predictive_checks.table(test_quantities.outcomes(results, "e"))
    numbers = numbers[(numbers["outcome"] == "number") & (numbers["quantity"] == "mean")].set_index("group")
    assert numbers.loc["a and b", ["members", "observed"]].tolist() == [4, 4.0]
    assert numbers.loc["a and b", "extreme"]
    assert not numbers.loc[["a", "b"], "extreme"].any()
    many = results.data.assign({name: ("unit", np.arange(UNITS) // 2**i % 2) for i, name in enumerate("cdefg")})
    results.data = many
    assert not any(" and " in name for name in test_quantities.members(results))


def test_pit_takes_draws_that_count_and_those_of_fits_without_the_unit(results):
    predictive = results.fit("e")["posterior_predictive"].to_dataset()
    whole = loo_pit._predicted(results, "e", "count", predictive)
    assert whole.draws.shape == (UNITS, CHAINS * DRAWS)
    assert (whole.draws[0] == 0).all()
    assert (whole.draws[1:] != 0).any(axis=1).all()
    np.testing.assert_allclose(np.exp(whole.log_weights).sum(axis=1), 1.0)
    bought = loo_pit._predicted(results, "e", "bought", predictive)
    visits = results.data["visit"].values == 1
    # Of the first unit's own fit no draw visits, so nothing says what it would buy.
    assert bought.undrawn == 2 * visits[0]
    later = np.flatnonzero(visits[1:]) + 1
    assert bought.observed.tolist() == results.data["bought"].values[later].ravel().tolist()
    visited = predictive["visit"].values[..., later[0]].ravel() == 1
    assert np.isfinite(bought.log_weights[0]).tolist() == visited.tolist()
    np.testing.assert_allclose(np.exp(bought.log_weights).sum(axis=1), 1.0)


def test_every_sort_of_outcome_has_a_panel(results):
    with _style.figure_style("x"):
        made = loo_pit.draw(results, entry="e")
        shown = test_quantities.draw(results, entry="e")
    assert dict(zip(made.numbers["outcome"], made.numbers["kind"], strict=True)) == {
        "visit": "yes or no", "bought": "yes or no", "level": "levels", "count": "counts", "number": "numbers",
    }  # fmt: skip
    assert made.caption.format(**made.values)
    assert "bought counts only where visit is not 0" in made.values["gated"]
    assert "diagonal" in made.caption
    assert "a hump" in made.caption
    assert shown.values["looked"] == len(shown.numbers)
    assert "nan" not in made.alt + shown.alt


def test_a_failed_fit_has_no_numbers(results):
    failed = xr.DataTree(xr.Dataset(attrs={"status": "failed"}))
    broken = SimpleNamespace(**{**vars(results), "fit": lambda _: failed})
    for kind in (test_quantities, loo_pit):
        with _style.figure_style("x"), pytest.raises(NotDrawn):
            kind.draw(broken, entry="e")


@pytest.mark.parametrize("largest", [5, 99, 300_000_000])
def test_counts_of_a_new_member_are_bars_however_large_they_are(largest):
    """At most 100 of them, which hold all that is shown."""
    rng = np.random.default_rng(1)
    values, observed = (np.append(rng.integers(0, largest + 1, 500), [0, largest]) for _ in range(2))
    axes = _style.panels(1, 1, height=3.0)[1]
    frame = new_group._shares(axes[0, 0], values, observed, "C0", "new")
    assert len(frame) == len(axes[0, 0].patches) == min(largest + 1, 100)
    assert frame["observed"].sum() == pytest.approx(1.0)
    assert frame["predicted"].sum() == pytest.approx(1.0)
    assert frame["value"].iloc[0] == 0


@pytest.mark.parametrize("which", ["xaxis", "yaxis"])
@pytest.mark.parametrize(
    "text", ["Wide words " * 12, "g$roup$ <script>alert(1)</script> & {x} " * 3, "counts (per hour)"]
)
def test_long_labels_of_axes_are_wrapped_and_not_cut_off(text, which):
    with _style.figure_style("long"):
        figure, panels = _style.panels(1, 2, height=2.5)
        labels = [getattr(axes, which).label for axes in panels.ravel()]
        for label in labels:
            label.set_text(text)
        _style.wrap_labels(figure)
        figure.draw_without_rendering()
    for label in labels:
        box = label.get_window_extent()
        assert min(box.x0, box.y0) >= -1
        assert box.x1 <= figure.bbox.x1 + 1
        assert box.y1 <= figure.bbox.y1 + 1
        assert "".join(label.get_text().split()) == "".join(text.split())
        assert ("\n" in label.get_text()) == (len(text) > 40)
