"""Every kind of figure on a small made-up study, of which one entry failed."""

import copy
import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.text import Text

from tadpool.calibration import sbc_verdict
from tadpool.convergence import verdicts as checks
from tadpool.errors import UserError
from tadpool.evaluation import comparison, elpd, power_scaling, sweep_scores
from tadpool.figures import (
    OWNERS,
    SECTIONS,
    NotDrawn,
    _explore,
    _style,
    _summaries,
    _sweep_map,
    calibration_coverage,
    calibration_ecdf,
    drawing,
    recovery_grid,
)
from tadpool.files import contracts, io, plugins
from tadpool.files.results import StudyResults
from tests.made.calibration import tree, write_calibration

COOKIES, LOCATIONS, CHAINS, DRAWS = 12, 3, 4, 100
MODELS = {
    "one": "cookies_pooled",
    "many": "cookies_hierarchical",
    "doubtful": "cookies_unpooled",
    "broken": "cookies_unpooled",
}
SOURCE = {
    "chain": np.arange(CHAINS),
    "draw": np.arange(DRAWS),
    "location": ["a", "b", "c"],
    "cookie": np.arange(1, COOKIES + 1),
}
RELATIONS = {
    "sample_sample": {"mu": [], "scaled": ["mu"], "lam": ["scaled"], "chips": ["lam"]},
    "sample_dist": {"mu": "Gamma", "scaled": "Deterministic", "lam": "Gamma", "chips": "Poisson"},
    "plate_sample": {"location": ["scaled", "lam"], "shop": ["lam"], "cookie": ["chips"]},
    "observed": ["chips"],
}
# A location has no slope of its own.
TRUTH = xr.Dataset(
    {"mu": 8.0, "lam": ("location", [8.0, 8.5, 30.0]), "slope": ("location", [0.5, np.nan, 0.5])},
    {"location": SOURCE["location"]},
)
FIGURES = {
    "graph": {
        "kind": "causal_graph",
        "edges": ["L -> C"],
        "meanings": {"L": "location"},
        "marked": ["L -> C"],
        "unobserved": ["L"],
    },
    "observed": {
        "kind": "observed_by_unit",
        "outcome": "chips",
        "trials": "most",
        "blocks": "size",
        "colour_by": "size",
        "caption": "{mean:.2f}",
    },
    "bars": {"kind": "histogram", "variable": "chips", "by": "location", "caption": "{mean:.2f} {variance:.2f}"},
    "shapes": {"kind": "violins", "variable": "chips", "by": "location", "caption": "{highest} {lowest}"},
    "curves": {
        "kind": "densities",
        "panels": [
            {
                "curves": [
                    {"entry": "many", "site": "mu", "group": "prior"},
                    {"entry": "many", "site": "mu"},
                    {"entry": "broken", "site": "lam"},
                ]
            },
            {"label": "any", "curves": [{"entry": "many", "site": "lam"}], "reference": 5},
            {"curves": [{"entry": "many", "site": "mu"}], "reference": "truth"},
        ],
        "caption": "{many_mu_mean:.2f}",
    },
    "against": {
        "kind": "estimates_against",
        "x": {"entry": "many", "site": "lam"},
        "y": {"entry": "doubtful", "site": "lam"},
        "lines": [{"entry": "one", "site": "rate"}],
        "caption": "{largest:.2f} {one_rate:.2f}",
    },
    "units": {
        "kind": "estimates_by_unit",
        "site": "expected",
        "outcome": "chips",
        "panels": [
            {"entry": "many"},
            {"entry": "broken"},
            {"sweep": "shape", "at": "best"},
            {"sweep": "shape", "at": "smallest"},
        ],
        "line": {"site": "mu", "link": "identity", "label": "mean location"},
        "caption": "{line:.1f}",
    },
    "together": {
        "kind": "forest",
        "entries": ["one", "many", "broken"],
        "sites": ["lam", "rate"],
        "together": True,
        "label": "rate",
    },
    "priors": {"kind": "forest", "entries": ["many"], "group": "prior", "sites": ["lam"]},
    "side_by_side": {"kind": "posterior_predictive", "entries": ["one", "many", "broken"], "section": "predictive"},
    "sizes": {"kind": "counts_by_group", "by": "location", "caption": "{n_groups} of {smallest}"},
    "levels": {
        "kind": "means_by_group",
        "variable": "answer",
        "by": "location",
        "first": 2,
        "caption": "{lowest_mean:.2f}",
    },
    "lines": {
        "kind": "lines_by_group",
        "entries": ["many", "doubtful", "broken"],
        "outcome": "chips",
        "x": "size",
        "by": "location",
        "members": ["a", "c"],
        "intercept": "lam",
        "slope": "slope",
    },
    "arrows": {
        "kind": "shrinkage",
        "start": "doubtful",
        "end": "many",
        "x": "lam",
        "y": "slope",
        "by": "location",
        "varies": "location_index",
        "outcome": "chips",
        "centre": ["mu", "sigma"],
        "labels": {"y": "slope of size"},
        "caption": "{returns_prior} {farthest}",
    },
    "recovered": {
        "kind": "recovery",
        "entries": ["one", "many", "broken"],
        "caption": "{many_covered} of {compared}.{apart}",
    },
    "seen": {
        "kind": "predicted_against_observed",
        "entries": ["one", "many", "broken"],
        "outcome": "chips",
        "colour_by": "size",
        "caption": "{many_covered:.0%} {shown}",
    },
    "order": {"kind": "answer", "answer": "rates", "label": "chips"},
    "in_models": {"kind": "answer", "answer": "rate"},
    "new": {"kind": "new_group", "entry": "many", "outcome": "chips", "site": "lam", "caption": "{mean:.1f} {sd:.1f}"},
}
CONFIG = {
    "outcomes": ["chips"],
    "unit": "cookie",
    "groups": ["location"],
    "models": {name: {"model": model, "label": None, "hyperparameters": {}} for name, model in MODELS.items()},
    "comparisons": {"main": {"entries": list(MODELS), "target": "unit"}},
    "sweeps": {"shape": {"entry": "many", "over": "mu_shape", "overlay": {"entry": "many", "site": "sigma"}}},
    "predictions": {"many": {"group": "location", "label": None}},
    "sensitivity": True,
    "calibration": {"many": {"entry": "many", "hyperparameters": {}}},
    "recovery": {
        "grid": {"entries": ["one", "many"], "over": {"spread": [0.0, 1.0], "size": [1, 2, 3]}, "replicates": 4}
    },
    "figures": {name: {"caption": "Look.", **figure} for name, figure in FIGURES.items()},
}


def labelled(variables, **more):
    dataset = xr.Dataset({name: (dims, values) for name, (dims, values) in variables.items()})
    return dataset.assign_coords({dim: (SOURCE | more)[dim] for dim in dataset.dims if dim in SOURCE | more})


def made_up(rng, entry, points=()):
    """The groups of a fit, or of a sweep over `points`."""
    lead, shape = (
        (("mu_shape", *_summaries.SAMPLE), (len(points), CHAINS, DRAWS))
        if len(points)
        else (_summaries.SAMPLE, (CHAINS, DRAWS))
    )
    index = np.arange(COOKIES) % LOCATIONS
    lam = rng.gamma(30, 1 / 4, (*shape, LOCATIONS)) + np.arange(LOCATIONS)
    sites = {"rate": (lead, lam[..., 0])} if entry == "one" else {"lam": ((*lead, "location"), lam)}
    if entry in ("many", "doubtful"):
        sites["slope"] = ((*lead, "location"), rng.normal(0.5, 0.2, (*shape, LOCATIONS)))
    if entry == "many":
        sites |= {
            "mu": (lead, rng.gamma(50, 1 / 6, shape)),
            "sigma": (lead, rng.gamma(5, 1 / 5, shape)),
            "expected": ((*lead, "cookie"), lam[..., index]),
        }
    stats = {name: (lead, rng.random(shape)) for name in contracts.STATS}
    stats |= {
        "energy": (lead, rng.normal(size=shape)),
        "diverging": (lead, np.zeros(shape, bool)),
        "reached_max_treedepth": (lead, np.zeros(shape, bool)),
    }
    score = {"chips": ((*lead, "cookie"), rng.normal(-2.5, 0.2, (*shape, COOKIES)))}
    predictive = {"chips": ((*lead, "cookie"), rng.poisson(lam[..., index]))}
    groups = {"posterior": sites, "sample_stats": stats, "log_likelihood": score, "posterior_predictive": predictive}
    groups = {name: labelled(group, mu_shape=list(points)) for name, group in groups.items()}
    if "expected" in groups["posterior"]:
        groups["posterior"]["expected"].attrs["site"] = "deterministic"
    if len(points):
        del groups["posterior_predictive"]
    return groups


def write_entry(folder, rng, entry, data):
    prior = {
        "prior": labelled(
            {
                "mu": (_summaries.SAMPLE, rng.gamma(2, 5, (1, 50))),
                "lam": ((*_summaries.SAMPLE, "location"), rng.gamma(2, 5, (1, 50, LOCATIONS))),
            },
            chain=[0],
            draw=range(50),
        )
    }
    prior["prior_predictive"] = labelled(
        {"chips": ((*_summaries.SAMPLE, "cookie"), rng.poisson(9, (1, 50, COOKIES)))}, chain=[0], draw=range(50)
    )
    io.write(folder / entry / "prior.nc", tree({**prior, **data}, relations=json.dumps(RELATIONS)), contracts.PRIOR)
    groups = made_up(rng, entry)
    if entry == "broken":
        groups = {"posterior": groups["posterior"] * np.nan, "sample_stats": groups["sample_stats"]}
    if entry == "doubtful":
        groups["posterior"]["lam"][0] += 30
    fit = tree({**groups, **data}, status="failed" if entry == "broken" else "ok", reason="it was made so")
    io.write(folder / entry / "fit.nc", fit, contracts.FIT)
    report = checks.check(fit)
    io.write_json(folder / entry / "check.json", report)
    loo = tree({"loo": pointwise(groups)} if entry != "broken" else {}, status=fit.attrs["status"])
    io.write(folder / entry / "loo.nc", loo, contracts.LOO)
    found = tree({"sensitivity": sensitivities(groups)} if entry != "broken" else {}, status=fit.attrs["status"])
    io.write(folder / entry / "sensitivity.nc", found, contracts.SENSITIVITY)
    return report["verdict"]


def sensitivities(groups):
    """Those of the made-up draws to one of their own numbers, so that some are moved and some
    not."""
    posterior, score = groups["posterior"], groups["log_likelihood"]["chips"].sum("cookie")
    first = next(iter(posterior.data_vars.values()))
    own = -0.5 * first.isel({dim: 0 for dim in first.dims if dim not in _summaries.SAMPLE}, drop=True)
    found = power_scaling.table(
        posterior.drop_vars("expected", errors="ignore"), {str(first.name): own}, score, xr.Dataset()
    )
    found.attrs = {"sensitive": 0.05, "far": 3.0, "good_k": 0.7}
    return found


def pointwise(groups):
    posterior = groups["posterior"]
    scores = elpd.psis(groups["log_likelihood"]["chips"], elpd.relative_efficiency(posterior))
    totals = elpd.totals(scores, CHAINS * DRAWS)
    return scores.assign({f"total_{name}": value for name, value in totals.items()})


def write_sweep(folder, rng, data):
    points = [1.0, 2.0, 3.0]
    groups = made_up(rng, "many", points)
    fit = tree({**groups, **data}, over="mu_shape")
    io.write(folder / "sweeps/shape/fit.nc", fit, contracts.SWEEP)
    report = checks.check_points(fit, "mu_shape")
    report["points"][2]["verdict"] = "fail"
    io.write_json(folder / "sweeps/shape/check.json", report)
    parts = [pointwise({name: group.isel(mu_shape=i) for name, group in groups.items()}) for i in range(3)]
    loo = xr.concat(parts, dim=groups["posterior"]["mu_shape"])
    io.write(folder / "sweeps/shape/loo.nc", tree({"loo": loo}), contracts.LOO)


def write_recovery(folder, rng, entry, bias):
    dims, shape = ("spread", "size", "replicate"), (2, 3, 4)
    mean = rng.normal(bias, 0.1, (*shape, 1))
    mean[1, 2] = np.nan
    estimates = {"truth": np.ones_like(mean), "mean": 1 + mean, "sd": np.full_like(mean, 0.1)}
    estimates |= {"eti89_low": 0.84 + mean, "eti89_high": 1.16 + mean}
    coords = {"spread": [0.0, 1.0], "size": [1, 2, 3]}
    outcome = np.where(np.isnan(mean[..., 0]), sbc_verdict.IMPOSSIBLE, sbc_verdict.OK)
    fits = xr.Dataset({"outcome": (dims, outcome), "reason": (dims, np.full(shape, ""))}, coords)
    columns = {name: ((*dims, "parameter"), value) for name, value in estimates.items()}
    groups = {"fits": fits, "estimates": xr.Dataset(columns, coords | {"parameter": ["slope"]})}
    io.write(folder / f"recovery/grid/{entry}.nc", tree(groups), contracts.RECOVERY)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """results/{study} with everything but figures."""
    return write_study(tmp_path_factory.mktemp("study"))


def write_study(folder):
    rng = np.random.default_rng(1)
    chips = rng.poisson(9, COOKIES)
    observed = xr.Dataset(
        {"chips": ("cookie", chips, {"long_name": "chips", "units": "per cookie"})}, {"cookie": SOURCE["cookie"]}
    )
    constant = xr.Dataset(
        {
            "location_index": ("cookie", np.arange(COOKIES) % LOCATIONS, {"long_name": "location"}),
            "most": ("cookie", np.full(COOKIES, 40)),
            "answer": ("cookie", np.arange(COOKIES) % 4, {"units": "steps above the lowest"}),
            "size": ("cookie", np.arange(COOKIES) // 6, {"flag_values": [0, 1], "flag_meanings": "small big"}),
        },
        {"cookie": SOURCE["cookie"], "location": SOURCE["location"]},
    )
    data = {"observed_data": observed, "constant_data": constant}
    io.write(
        folder / "data.nc", tree(data | {"truth": TRUTH.assign_coords(location=SOURCE["location"])}), contracts.DATA
    )
    verdicts = {entry: write_entry(folder, rng, entry, data) for entry in MODELS}
    write_sweep(folder, rng, data)
    write_calibration(folder, rng)
    write_recovery(folder, rng, "one", 0.5)
    write_recovery(folder, rng, "many", 0.0)
    new = {
        "lam": ((*_summaries.SAMPLE, "location"), rng.gamma(30, 0.3, (CHAINS, DRAWS, 1))),
        "chips": ((*_summaries.SAMPLE, "cookie"), rng.poisson(9, (CHAINS, DRAWS, 1))),
    }
    io.write(folder / "many/predictions.nc", tree({"predictions": new_group(new)}), contracts.PREDICTIONS)
    write_answers(folder)
    results = StudyResults("made_up", CONFIG, folder)
    loos = {entry: results.loo(entry)["loo"].to_dataset() for entry in MODELS if entry != "broken"}
    io.write_csv(folder / "comparisons/main.csv", comparison.table("unit", loos, verdicts, list(MODELS)))
    return folder


RATES = {"a": 8.0, "b": 9.5, "c": 9.0}


def write_answers(folder, rates=RATES):
    """The rates of locations by one entry, and one rate by two."""
    rows = [("rates", each, "many", "own", value) for each, value in rates.items()]
    rows += [("rate", "", "many", "own", 9.0), ("rate", "", "one", "other", 8.0)]
    table = pd.DataFrame(rows, columns=["answer", "quantity", "model", "role", "value"])
    table = table.assign(
        **{"is": "mean", "reason": "", "eti89_low": table["value"] - 1, "eti89_high": table["value"] + 2}
    )
    table = table.assign(line=np.nan, truth=np.nan, mcse=0.01)
    texts = ("answer", "quantity", "model", "role", "is", "reason")
    columns = {name: ("row", table[name].to_numpy(str if name in texts else float)) for name in table}
    io.write(folder / "answers.nc", tree({"answers": xr.Dataset(columns)}), contracts.ANSWERS)


def new_group(variables):
    dataset = xr.Dataset({name: (dims, values) for name, (dims, values) in variables.items()})
    return dataset.assign_coords(chain=SOURCE["chain"], draw=SOURCE["draw"], location=["new location"], cookie=[1])


@pytest.fixture(scope="module")
def drawn(folder):
    assert drawing.draw_all(StudyResults("made_up", CONFIG, folder), folder / "figures") == {}
    return folder / "figures"


@pytest.fixture(scope="module")
def listed(drawn):
    return {figure["name"]: figure for figure in json.loads((drawn / "figures.json").read_text())}


def draw(folder, name, **changes):
    config = copy.deepcopy(CONFIG)
    config["figures"] = {name: {"kind": "histogram", "caption": "Look.", "variable": "chips"} | changes}
    return drawing.wanted_figures(config)


def test_every_figure_of_usable_entries_is_drawn(listed):
    expected = {figure.name for figure in drawing.wanted_figures(CONFIG)}
    kinds = [kind for kind, chosen in drawing.standard().items() if chosen.owner == "entry"]
    without = {f"broken-{kind}" for kind in kinds if kind not in ("model_graph", "prior_predictive")}
    # The truth has no value of this entry's only parameter.
    assert expected - set(listed) == without | {"one-recovery"}


def test_every_kind_is_drawn(listed):
    assert set(plugins.figures()) == {figure["kind"] for figure in listed.values()}


def test_list_holds_what_the_page_needs(drawn, listed):
    for figure in listed.values():
        assert figure["section"] in SECTIONS
        assert figure["title"]
        assert figure["caption"]
        assert "{" not in figure["caption"]
        assert len(figure["alt"]) > 20
        assert "nan" not in figure["alt"]
        assert (drawn / f"{figure['name']}.svg").stat().st_size < 300_000
        assert not pd.read_csv(drawn / f"{figure['name']}.csv").empty
    assert listed["many-forest"]["entry"] == "many"
    assert listed["many-forest"]["comparison"] is None
    assert listed["shape-sweep_elpd"]["sweep"] == "shape"


def test_bytes_are_equal_in_two_runs(folder, drawn, tmp_path):
    assert drawing.draw_all(StudyResults("made_up", CONFIG, folder), tmp_path) == {}
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in drawn.iterdir()}
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (drawn / path.name).read_bytes(), path.name


def test_svg_is_transparent_and_without_text_or_date(drawn):
    for path in drawn.glob("*.svg"):
        svg = path.read_text()
        for unwanted in ("<text", "#ffffff", "<dc:date>"):
            assert unwanted not in svg, path.name


def test_numbers_are_those_of_the_results(folder, drawn):
    results = StudyResults("made_up", CONFIG, folder)
    forest = pd.read_csv(drawn / "many-forest.csv").set_index("parameter")
    lam = results.fit("many")["posterior"]["lam"].sel(location="b").values
    assert forest.loc["lam[b]", "median"] == pytest.approx(np.median(lam), rel=1e-6)
    assert forest.loc["lam[b]", "eti89_low"] == pytest.approx(np.quantile(lam, 0.055), rel=1e-6)
    assert "expected[1]" not in forest.index
    pareto = pd.read_csv(drawn / "many-pareto_k.csv")
    assert pareto["pareto_k"].to_numpy() == pytest.approx(results.loo("many")["loo"]["pareto_k"].values, rel=1e-6)
    moved = pd.read_csv(drawn / "many-sensitivity.csv").set_index("parameter")
    assert moved.loc["lam[a]", "prior"] == pytest.approx(
        results.sensitivity("many")["sensitivity"]["prior"].sel(parameter="lam[a]").item(), rel=1e-6
    )
    sweep = pd.read_csv(drawn / "shape-sweep_elpd.csv").query("curve == 'elpd'")
    assert sweep["elpd"].to_numpy() == pytest.approx(results.sweep_loo("shape")["loo"]["total_elpd"].values, rel=1e-6)
    counts = pd.read_csv(drawn / "many-posterior_predictive.csv")
    assert counts["observed"].sum() == COOKIES
    bars = pd.read_csv(drawn / "bars.csv").groupby("part")["count"].sum()
    assert bars[["all", "a"]].tolist() == [COOKIES, COOKIES // LOCATIONS]


def test_truth_is_told_from_what_has_none(drawn, listed):
    recovered = pd.read_csv(drawn / "recovered.csv").set_index("parameter")
    assert recovered["truth"].isna().sum() == 1
    assert not recovered.loc["lam[c]", "covered"]
    assert recovered.loc["lam[c]", "z"] < -5
    assert listed["recovered"]["caption"].endswith("slope[b] has no true value, and returns its prior.")
    assert " of 6." in listed["recovered"]["caption"]
    assert pd.read_csv(drawn / "many-forest.csv").set_index("parameter")["returns_prior"].loc["slope[b]"]
    assert pd.read_csv(drawn / "curves.csv").query("panel == 'mu'")["reference"].iloc[-1] == 8.0


def test_true_value_on_the_edge_is_not_counted():
    from tadpool.figures import recovery

    def site(values):
        return xr.DataArray(values, dims=("chain", "draw", "part"))

    truth = xr.DataArray([0.0, 0.0, 9.0], dims="part")
    positive, any_sign = np.full((1, 4, 3), 0.5), np.linspace(-1, 1, 12).reshape(1, 4, 3)
    assert recovery._on_edge(site(positive), truth[:2].mean(), site(positive)).tolist() == [True, True, True]
    assert recovery._on_edge(site(positive), truth, site(any_sign)).tolist() == [False, False, False]


def test_plates_hold_their_nodes():
    from tadpool.figures import _graph

    nodes = {name: _graph.Node(name) for name in ("inner", "outer", "alone")}
    plates = {"all": (None, ["outer"]), "part": ("all", ["inner"])}
    laid_out = _graph._layout(_graph.Graph(nodes, [("outer", "inner"), ("alone", "inner")], plates))
    around = laid_out.get_subgraph("cluster_0")
    assert "inner" in around.get_subgraph("cluster_1")
    assert "alone" not in around


def test_ordered_levels_are_shown_from_one(drawn, listed):
    means = pd.read_csv(drawn / "levels.csv")
    assert means["mean"].tolist() == pytest.approx([2.5, 2.5])
    assert "level, 1 is the lowest" in listed["levels"]["alt"]
    assert len(means) == 2


def test_arrows_and_lines_show_posterior_means(folder, drawn):
    results = StudyResults("made_up", CONFIG, folder)
    many = results.fit("many")["posterior"].to_dataset().mean(("chain", "draw"))
    arrows = pd.read_csv(drawn / "arrows.csv")
    assert arrows["end_lam"].to_numpy() == pytest.approx(many["lam"].values, rel=1e-6)
    assert arrows["returns_prior"].all()
    lines = pd.read_csv(drawn / "lines.csv").query("entry == 'many' and member == 'c' and curve == 'posterior mean'")
    ends = many.sel(location="c")
    assert lines["y"].tolist() == pytest.approx([float(ends["lam"]), float(ends["lam"] + ends["slope"])], rel=1e-6)


def explored(drawn, name):
    return json.loads((drawn / f"{name}.json").read_text())


def assert_estimates(shown, site):
    """Mean and 89 % interval of each element, to the four digits that explorers show."""
    values = site.stack(sample=("chain", "draw")).transpose("sample", ...).values
    assert shown["mean"] == pytest.approx(values.mean(0), rel=6e-4)
    assert shown["low"] == pytest.approx(np.quantile(values, 0.055, axis=0), rel=6e-4)
    assert shown["high"] == pytest.approx(np.quantile(values, 0.945, axis=0), rel=6e-4)


def test_explorers_are_listed(drawn, listed):
    names = {name for name, figure in listed.items() if figure["explorer"]}
    assert names == {"arrows", "main-comparison_forest", "shape-sweep_elpd"}
    assert {path.stem for path in drawn.glob("*.json")} == {*names, "figures"}


def test_standard_figures_are_declared_by_their_kinds_and_stand_in_reading_order():
    found = drawing.standard()
    assert {chosen.owner for chosen in found.values()} == set(OWNERS)
    of_entries = [kind for kind, chosen in found.items() if chosen.owner == "entry"]
    assert of_entries[:2] == ["model_graph", "prior_predictive"]
    assert of_entries[-4:] == ["posterior_predictive", "test_quantities", "loo_pit", "pareto_k"]
    names = [figure.name for figure in drawing.wanted_figures(CONFIG | {"sensitivity": False, "figures": {}})]
    assert "many-sensitivity" not in names
    assert names[:2] == [f"{next(iter(CONFIG['models']))}-{kind}" for kind in of_entries[:2]]


def test_a_sweep_over_two_is_a_map_with_the_tie_region(folder, tmp_path):
    rng = np.random.default_rng(7)
    sigma, tau = np.meshgrid([0.1, 1.0, 10.0], [1.0, 2.0], indexing="ij")
    far = np.log(sigma.ravel()) ** 2 + (tau.ravel() - 1.0)
    noise = rng.normal(0, 0.01, COOKIES)
    scores = xr.Dataset({"elpd": (("sweep_point", "cookie"), -2.0 - far[:, None] + noise)})
    scores = scores.assign(elpd_psis=scores["elpd"], total_doubtful=("sweep_point", np.zeros(6, int)))
    scores = scores.assign({f"total_{name}": ("sweep_point", np.ones(6)) for name in ("se", "mcse")})
    scores = scores.assign_coords(sigma=("sweep_point", sigma.ravel()), tau=("sweep_point", tau.ravel()))
    over = {"sigma": {"from": 0.1, "to": 10.0, "n": 3, "spacing": "log"}, "tau": [1.0, 2.0]}
    points = [{"sigma": s, "tau": t, "verdict": "pass"} for s, t in zip(sigma.ravel(), tau.ravel(), strict=True)]
    numbers = sweep_scores.table(scores, over, points)
    assert numbers.loc[numbers["best"], ["sigma", "tau"]].values.tolist() == [[1.0, 1.0]]
    assert numbers["tie"].tolist() == [False, False, True, False, False, False]
    points[2]["verdict"] = "fail"
    failed = sweep_scores.table(scores, over, points)
    assert failed.loc[failed["best"], ["sigma", "tau"]].values.tolist() == [[1.0, 2.0]]
    assert not failed["tie"][2]
    results = StudyResults("made_up", CONFIG, folder)
    chosen = {"over": over, "overlay": {"entry": "many", "site": ["sigma", "mu"]}}
    drawn = _sweep_map.draw(results, chosen, numbers)
    axes = drawn.figure.axes[0]
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "linear")
    assert "best -" in drawn.alt
    assert (
        "1 of 6 points are about equal to it, or too close to call, with sigma from 1 to 1 and tau from 1 to 1"
        in drawn.alt
    )
    assert "posterior of sigma and mu" in drawn.values["overlay"]


def test_sweep_explorer_shows_every_unit_at_every_value(folder, drawn):
    results, shown = StudyResults("made_up", CONFIG, folder), explored(drawn, "shape-sweep_elpd")
    posterior = results.sweep_fit("shape")["posterior"]["expected"]
    curve, view = shown["curve"], shown["views"][1]
    assert curve["values"] == [1.0, 2.0, 3.0]
    assert curve["elpd"] == pytest.approx(results.sweep_loo("shape")["loo"]["total_elpd"].values, abs=0.006)
    assert_estimates(view["entries"][0], posterior.sel(mu_shape=2.0))
    assert view["words"].startswith("mu_shape 2: elpd −")
    assert shown["start"] == int(np.argmax(curve["elpd"]))
    assert view["axis"] == {"label": "chips (per cookie)", "observed": results.data["chips"].values.tolist()}
    assert len(shown["members"]["cookie"]["labels"]) == COOKIES
    assert curve["failed"] == [2]


def test_group_explorer_shows_data_and_every_usable_entry(folder, drawn):
    results, shown = StudyResults("made_up", CONFIG, folder), explored(drawn, "main-comparison_forest")
    views = {view["name"].partition(" by ")[0]: view for view in shown["views"]}
    assert [view["name"] for view in shown["views"]] == ["expected by cookie", "lam by location", "slope by location"]
    assert [entry["label"] for entry in views["lam"]["entries"]] == ["many", "doubtful (failed)"]
    assert views["lam"]["entries"][0]["colour"] == _style.colour(results, "many")
    for entry, name in zip(views["lam"]["entries"], ("many", "doubtful"), strict=True):
        assert_estimates(entry, results.fit(name)["posterior"]["lam"])
    locations, chips = shown["members"]["location"], results.data["chips"].values
    assert locations["labels"] == ["a", "b", "c"]
    facts = {fact["name"]: fact["values"] for fact in locations["facts"]}
    assert facts["Cookies"] == [4, 4, 4]
    assert facts["Mean chips (per cookie)"] == pytest.approx([chips[i::3].mean() for i in range(3)], rel=6e-4)
    facts = {fact["name"]: fact["values"] for fact in shown["members"]["cookie"]["facts"]}
    assert facts["Size"][5:7] == ["small", "big"]
    assert facts["Location"][:4] == ["a", "b", "c", "a"]
    assert facts["Answer (level, 1 is the lowest)"][:4] == [1, 2, 3, 4]


def test_lines_explorer_shows_data_and_both_lines(folder, drawn):
    results, shown = StudyResults("made_up", CONFIG, folder), explored(drawn, "arrows")
    many = results.fit("many")["posterior"].to_dataset()
    (shown,) = shown["views"]
    assert shown["arrows"]["end_x"] == pytest.approx(many["lam"].mean(("chain", "draw")).values, rel=6e-4)
    assert shown["points"][1] == {"x": [1] * 4, "y": results.data["chips"].values[1::3].tolist()}
    assert shown["predictor"]["grid"] == [0, 1, 2]
    at_two = many["lam"] + 2 * many["slope"]
    entry = shown["entries"][1]
    assert_estimates({name: [row[2] for row in entry[name]] for name in ("mean", "low", "high")}, at_two)
    assert shown["returns_prior"] == [True] * 3


def test_separate_fits_that_failed_are_marked():
    points = [{"part": "a", "verdict": "pass"}, {"part": "b", "verdict": "fail"}]
    data = xr.Dataset(coords={"part": ["a", "b"]})
    results = SimpleNamespace(data=data, check=lambda entry: {"points": points})
    assert _explore.failed(results, "alone", "part") == [False, True]


def test_numbers_of_explorers_are_json():
    assert _explore.rounded([1.23456, np.nan, np.inf, -0.000123456]) == [1.235, None, None, -0.0001235]
    assert _explore.rounded(np.array([12345, 2])) == [12345, 2]


def test_reference_needs_a_true_value(folder):
    from tadpool.figures import densities

    panel = {"curves": [{"entry": "many", "site": "sigma"}], "reference": "truth"}
    with _style.figure_style("x"), pytest.raises(UserError, match="sigma has no single true value; mu has one"):
        densities.draw(StudyResults("made_up", CONFIG, folder), panels=[panel])


def test_failed_fits_are_never_shown_as_good(listed):
    assert "doubtful (failed)" in listed["main-comparison_elpd"]["alt"]
    assert "broken (failed): no numbers" in listed["main-comparison_elpd"]["alt"]
    assert "doubtful (failed)" in listed["main-comparison_forest"]["alt"]
    assert "broken" not in listed["together"]["alt"] + listed["units"]["alt"] + listed["curves"]["alt"]


def test_captions_are_filled_from_the_results(listed, folder):
    mean = float(StudyResults("made_up", CONFIG, folder).data["chips"].mean())
    assert listed["bars"]["caption"].startswith(f"{mean:.2f}")


@pytest.mark.parametrize(
    ("caption", "problem"), [("{worst}", "'worst' is not a value"), ("{mean:.2q}", "placeholder"), ("{", "placeholder")]
)
def test_wrong_placeholders_are_explained(caption, problem):
    with pytest.raises(UserError, match=problem):
        drawing.fill_caption("bars", caption, {"mean": 1.0})


@pytest.mark.parametrize(
    ("name", "changes", "problem"),
    [
        ("bars", {"vairable": "chips"}, "did you mean 'variable'"),
        ("bars", {"section": "dta"}, "did you mean 'data'"),
        ("many-forest", {}, "a standard figure has this name"),
    ],
)
def test_mistakes_in_a_study_are_explained(folder, name, changes, problem):
    with pytest.raises(UserError, match=problem):
        draw(folder, name, **changes)


def test_unknown_variables_are_explained(folder):
    from tadpool.figures import histogram

    with pytest.raises(UserError, match="no variable 'chip'; it has chips"):
        histogram.draw(StudyResults("made_up", CONFIG, folder), variable="chip")


def test_nothing_to_show_is_not_drawn(folder):
    from tadpool.figures import densities

    with _style.figure_style("x"), pytest.raises(NotDrawn):
        densities.draw(
            StudyResults("made_up", CONFIG, folder), panels=[{"curves": [{"entry": "broken", "site": "lam"}]}]
        )


def test_an_answer_is_drawn_in_order_or_in_every_model(drawn, listed):
    order, in_models = (pd.read_csv(drawn / f"{name}.csv", keep_default_na=False) for name in ("order", "in_models"))
    assert set(zip(order["quantity"], order["value"], strict=True)) == {("a", 8.0), ("b", 9.5), ("c", 9.0)}
    assert listed["order"]["alt"] == "chips: 3 values with 89 % intervals, from 8 (a) to 9.5 (b)."
    assert list(in_models["model"]) == ["many", "one"]


@pytest.mark.parametrize(("number", "columns", "named"), [(48, 1, 48), (85, 2, 85), (144, 3, 144), (145, 1, 0)])
def test_many_quantities_stand_in_columns_with_their_names(tmp_path, number, columns, named):
    io.write_json(tmp_path / "many/check.json", {"verdict": "pass"})
    write_answers(tmp_path, {f"member {place}": float(place) for place in range(number)})
    results = StudyResults("made_up", CONFIG, tmp_path)
    with _style.figure_style("x"):
        panels = plugins.load("figures", "answer").draw(results, answer="rates").figure.axes
    assert len(panels) == columns
    names = [label.get_text() for panel in panels for label in panel.get_yticklabels()]
    assert names == [f"member {place}" for place in reversed(range(number))][:named]


def test_counts_by_value():
    counted = _summaries.count_values(np.array([[3, 4, 4], [2, 9, 3]]), range(3, 6))
    assert counted.tolist() == [[1, 2, 0], [1, 0, 0]]


def test_densities_of_few_values_reach_the_extremes():
    values = np.array([0.0, 4, 5, 5, 6, 6, 7, 12])
    grid, height = _summaries.density(values)
    assert grid[[0, -1]] == pytest.approx([0, 12], abs=0.1)
    assert np.trapezoid(height, grid) == pytest.approx(1, abs=0.02)


def test_entries_keep_their_colours(folder):
    results = StudyResults("made_up", CONFIG, folder)
    assert [_style.colour(results, entry) for entry in MODELS] == list(_style.PALETTE[:4])


def test_numbers_keep_seven_digits():
    rounded = drawing._rounded(pd.DataFrame({"x": [1.23456789e-5, 123456.789, 0.0, np.nan], "y": [1, 2, 3, 4]}))
    assert rounded["x"].tolist()[:3] == pytest.approx([1.234568e-5, 123456.8, 0.0], rel=1e-12)
    assert rounded["x"].isna().tolist() == [False, False, False, True]


def test_ranks_that_are_not_uniform_are_named(folder):
    results = StudyResults("made_up", CONFIG, folder)
    made = calibration_ecdf.draw(results, calibration="many")
    assert made.values["worst"] == "sigma"
    assert "sigma" in made.values["found"]
    assert made.numbers["difference"].abs().max() > 0.4
    inside = calibration_coverage.draw(results, calibration="many").numbers.set_index("quantity")["coverage_50"]
    below = results.calibration("many")["simulations"]["below"].sel(quantity="lam[a]").values
    assert inside["lam[a]"] == pytest.approx(((below > 0.25) & (below < 0.75)).mean())


def test_the_grid_shows_bias_and_says_where_it_is(folder):
    """The bias of four errors of 0.1 about 0.5 is within 4.4 standard errors of it."""
    made = recovery_grid.draw(StudyResults("made_up", CONFIG, folder), recovery="grid")
    biased = made.numbers[(made.numbers["entry"] == "one") & (made.numbers["n"] > 0)]
    assert (biased["bias"] - 0.5).abs().max() < 4.4 * 0.05
    assert (biased["coverage"] == 0).any()
    assert made.values["bias_entry"] == "one"
    assert made.numbers["impossible"].sum() == 8


# Words of users: labels are drawn letter by letter, whatever they contain

LABELS = [
    ("$a$ {label} <b> _", "Ba$$in & A$AP &amp; #1", "$\\unknown$ \\alpha_{top} 50 % ^"),
    ('_hidden {0!r} "rich", it\'s', "\U0001f438 \u05e9\u05dc\u05d5\u05dd \u202eright </script>", "sample" + "x" * 44),
]


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.filterwarnings("ignore:Glyph:UserWarning")
def test_labels_are_shown_letter_by_letter(tmp_path, monkeypatch, labels):
    """All figures of the made-up study are drawn; nothing is read as a formula, and a forest shows
    each label in full."""
    drawn, formulas = set(), []

    def seen(self, text, before=Text._preprocess_math):
        found, formula = before(self, text)
        drawn.add(found.replace("\n", ""))
        formulas.extend([text] if formula else [])
        return found, formula

    monkeypatch.setattr(Text, "_preprocess_math", seen)
    monkeypatch.setitem(SOURCE, "location", list(labels))
    write_study(tmp_path)
    config = CONFIG["figures"] | {"lines": CONFIG["figures"]["lines"] | {"members": [labels[0], labels[2]]}}
    drawing.draw_all(StudyResults("made_up", CONFIG | {"figures": config}, tmp_path), tmp_path / "figures")
    assert not formulas
    for label in labels:
        assert any(label.strip() in text for text in drawn), label
    forest = pd.read_csv(tmp_path / "figures" / "many-forest.csv", keep_default_na=False)
    for label in labels:
        assert f"lam[{label}]" in set(forest["parameter"])


def test_words_of_the_study_stand_before_the_names_of_parameters(folder):
    """In a forest those of a scalar, and of an array below its panel; a single element may have its
    own."""
    labels = {"mu": "mean of locations", "lam": "rate of a location", "slope[b]": "slope where there is none"}
    results = StudyResults("made_up", CONFIG | {"labels": labels}, folder)
    figure = plugins.load("figures", "forest").draw(results, entry="many").figure
    words = {text.get_text().replace("\n", " ") for text in figure.findobj(Text)}
    assert {"mean of locations (mu)", "rate of a location (lam)", "a"} <= words
    recovered = plugins.load("figures", "recovery").draw(results, entry="many").figure
    words = {text.get_text().replace("\n", " ") for text in recovered.findobj(Text)}
    assert {"mean of locations (mu)", "slope[a]", "rate of a location (lam[c])"} <= words
    assert any(text.startswith("slope where there is none (slope[b])") for text in words)
