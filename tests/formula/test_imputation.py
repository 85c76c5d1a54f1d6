"""Predictors that a formula imputes: the joint density by hand, maximum likelihood of the joint
model where complete cases are biased, and what is done with rows that miss a value."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from jax.scipy.stats import norm
from numpyro import handlers
from numpyro.infer.util import log_density
from scipy import optimize, stats
from scipy.special import expit, logsumexp

from tadpool.answers.predicted import Fitted
from tadpool.answers.programs import Target
from tadpool.engine import lanes
from tadpool.errors import UserError
from tadpool.fitting import sampling
from tadpool.fitting.prediction import predict_rows, typical_row
from tadpool.modelling.entry import Entry
from tests.made.config import problems
from tests.made.formulas import bound, study

COLUMNS = {
    "y": {"kind": "number"},
    "k": {"kind": "count"},
    "x": {"kind": "number", "missing": "impute"},
    "b": {"kind": "binary", "missing": "impute"},
    "z": {"kind": "number"},
    "g": {"kind": "group"},
}
SAMPLER = lanes.Sampler(warmup=300, draws=1000, target_accept=0.8, max_tree_depth=10)


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lanes.start(1, "float64")


def made(rows=30):
    rng = np.random.default_rng(6)
    table = pd.DataFrame({"y": rng.normal(5, 2, rows), "k": rng.poisson(3, rows), "x": rng.normal(3, 2, rows)})
    table["b"] = pd.Series(rng.integers(2, size=rows), dtype=object)
    table["z"], table["g"] = rng.normal(size=rows), np.array(list("pqr"))[np.arange(rows) % 3]
    table.loc[[3, 11, 20], "x"], table.loc[[3, 8], "b"] = np.nan, np.nan
    return table


def bind(table, formula, **entry):
    table.to_csv("t.csv", index=False)
    used = {name: column for name, column in COLUMNS.items() if name in table}
    return bound("t.csv", used, {"formula": formula, **entry})


def at_a_draw(model):
    """The log density of everything, and the values of all sites, where they are drawn from the
    prior."""
    arguments = {**model.data, **model.hyperparameters}
    latent = handlers.trace(handlers.seed(model.function, jax.random.key(3))).get_trace(**arguments)
    latent = {name: latent[name]["value"] for name in model.latents}
    whole, trace = log_density(model.function, (), arguments, latent)
    return float(whole), {name: np.asarray(site["value"]) for name, site in trace.items() if "value" in site}


@pytest.mark.parametrize("family", ["normal", "poisson"])
def test_the_density_is_that_of_the_joint_model(place, family):
    """A number in a product and with slopes that vary, and a yes or no that is summed out."""
    table, outcome = made(), "y" if family == "normal" else "k"
    formula = f"{outcome} ~ x * z + b + (x || g)"
    model = bind(table, formula, family=family, hyperparameters={"parametrization": "centred"})
    whole, s = at_a_draw(model)
    g, z, missing = np.unique(table.g, return_inverse=True)[1], table.z.to_numpy(), table.x.isna().to_numpy()
    x, b = table.x.to_numpy(copy=True), table.b.astype(float).to_numpy()
    loc, sd = np.nanmean(x), np.nanstd(x)
    scale = table.y.std(ddof=0) if family == "normal" else 1.0
    centre = table.y.mean() if family == "normal" else np.log(table.k.mean())
    prior = stats.norm(loc, 2.5 * sd).logpdf(s["alpha_at_means_imputed_x"])
    prior += stats.norm(0, 2.5 * sd / z.std()).logpdf(s["beta_imputed_x_z"])
    prior += stats.expon(scale=sd).logpdf(s["sigma_imputed_x_g"]) + stats.expon(scale=sd).logpdf(s["sigma_imputed_x"])
    prior += stats.norm(s["alpha_at_means_imputed_x"], s["sigma_imputed_x_g"]).logpdf(s["alpha_imputed_x_g"]).sum()
    mean_x = s["alpha_imputed_x_g"][g] + s["beta_imputed_x_z"] * (z - z.mean())
    x[missing] = s["imputed_x"]
    # Sampled as standardized distances, whose density is the one of the values but for the scale.
    prior += stats.norm(mean_x, s["sigma_imputed_x"]).logpdf(x).sum() + 3 * np.log(s["sigma_imputed_x"])

    xz = (table.x * table.z).to_numpy()
    at = {"x": loc, "z": z.mean(), "x:z": np.nanmean(xz)}
    width = {"x": sd, "z": z.std(), "x:z": sd * z.std()}
    prior += stats.norm(0, 2.5).logpdf(s["alpha_at_means_imputed_b"])
    prior += sum(stats.norm(0, 2.5 / width[name]).logpdf(s[f"beta_imputed_b_{name}"]) for name in width)
    prior += stats.expon().logpdf(s["sigma_imputed_b_g"])
    prior += stats.norm(s["alpha_at_means_imputed_b"], s["sigma_imputed_b_g"]).logpdf(s["alpha_imputed_b_g"]).sum()
    columns = {"x": x, "z": z, "x:z": x * z}
    logit = s["alpha_imputed_b_g"][g] + sum(s[f"beta_imputed_b_{n}"] * (columns[n] - at[n]) for n in at)

    prior += stats.norm(centre, 2.5 * scale).logpdf(s["alpha_at_means"])
    prior += sum(stats.norm(0, 2.5 * scale / width[name]).logpdf(s[f"beta_{name}"]) for name in width)
    prior += stats.norm(0, 2.5 * scale).logpdf(s["beta_b"])
    prior += stats.expon(scale=scale).logpdf(s["sigma_g"]) + stats.expon(scale=scale / sd).logpdf(s["sigma_x_g"])
    slopes = s["beta_x_g"]
    prior += stats.norm(s["beta_x"], s["sigma_x_g"]).logpdf(slopes).sum()
    # The standard deviation between members is of intercepts where x is 0; members have theirs at
    # the mean.
    prior += stats.norm(s["alpha_at_means"] + loc * (slopes - s["beta_x"]), s["sigma_g"]).logpdf(s["alpha_g"]).sum()
    eta = s["alpha_g"][g] + slopes[g] * (x - loc)
    eta += sum(s[f"beta_{name}"] * (columns[name] - at[name]) for name in ("z", "x:z"))

    def likelihood(eta):
        if family == "normal":
            return stats.norm(eta, s["sigma"]).logpdf(table.y)
        return stats.poisson(np.exp(eta)).logpmf(table.k)

    if family == "normal":
        prior += stats.expon(scale=scale).logpdf(s["sigma"])
    no, yes = likelihood(eta), likelihood(eta + s["beta_b"])
    each = np.where(b == 1, yes + np.log(expit(logit)), no + np.log(expit(-logit)))
    both = logsumexp([no + np.log(expit(-logit)), yes + np.log(expit(logit))], axis=0)
    np.testing.assert_allclose(whole, prior + np.where(np.isnan(b), both, each).sum(), rtol=1e-9)


def bivariate(rows=500, seed=2):
    """Normal pairs whose x is missing more often the larger y is."""
    rng = np.random.default_rng(seed)
    x = rng.normal(10.0, 2.0, rows)
    y = 3.0 + 1.0 * x + rng.normal(0, 2.0, rows)
    missing = rng.uniform(size=rows) < expit(3.0 * (y - 13.0) / y.std())
    return pd.DataFrame({"y": y, "x": np.where(missing, np.nan, x)})


def joint_likelihood(table):
    """Maximum likelihood of alpha, beta, sigma, mean and sd of x, x integrated out where it is
    missing; and their standard errors."""
    known = table.x.notna().to_numpy()
    x, y, others = table.x.to_numpy()[known], table.y.to_numpy()[known], table.y.to_numpy()[~known]

    def minus(theta):
        alpha, beta, log_sigma, mean, log_sd = theta
        sigma, sd = jnp.exp(log_sigma), jnp.exp(log_sd)
        full = norm.logpdf(y, alpha + beta * x, sigma) + norm.logpdf(x, mean, sd)
        rest = norm.logpdf(others, alpha + beta * mean, jnp.hypot(sigma, beta * sd))
        return -full.sum() - rest.sum()

    with jax.enable_x64(True):
        found = optimize.minimize(jax.jit(minus), [0.0, 1.0, 0.5, 10.0, 0.7], jac=jax.jit(jax.grad(minus)))
        covariance = np.linalg.inv(jax.hessian(minus)(found.x))
    return found.x, np.sqrt(np.diag(covariance))


def test_estimates_are_those_of_maximum_likelihood_where_complete_cases_are_biased(place):
    """Priors are wide and 500 rows many: posterior means lie within 0.15 standard errors of the
    maximum, give or take 4.4 Monte Carlo errors of 0.02 of these. The slope of complete cases is
    3 of its standard errors or more below the true 1."""
    table = bivariate()
    model = bind(table, "y ~ x", family="normal")
    address = {"seed": 1, "study": "s", "entry": "e", "role": "posterior", "attempt": 0}
    fit = sampling.posterior(model, address, 4, SAMPLER, outcomes=["y"], unit="row")
    found = fit.groups["posterior"]
    best, error = joint_likelihood(table)
    for name, value, width in zip(
        ("alpha", "beta_x", "sigma", "alpha_imputed_x", "sigma_imputed_x"), best, error, strict=True
    ):
        if name not in found:
            name = name.replace("alpha_imputed_x", "alpha_at_means_imputed_x")
        draws = found[name].values
        draws = np.log(draws) if name.startswith("sigma") else draws
        assert abs(draws.mean() - value) < 0.24 * width, name
        assert abs(draws.std() / width - 1) < 0.2, name
    complete = stats.linregress(table.x.dropna(), table.y[table.x.notna()])
    assert complete.slope < 1.0 - 3 * complete.stderr
    assert abs(found["beta_x"].mean() - 1.0) < 3 * found["beta_x"].std()


def test_complete_cases_are_the_rows_that_weigh(place):
    """With weights 0 in rows that miss a value the likelihood of the outcome is that of the others,
    from sums over cells as well."""
    table = made()
    table.to_csv("t.csv", index=False)
    Path("config/studies").mkdir(parents=True)
    used = {name: {**column, "missing": "drop"} if "missing" in column else column for name, column in COLUMNS.items()}
    formula = "y ~ x + b + (1 | g)"
    weighted = bound("t.csv", COLUMNS, {"formula": formula, "weights": {"y": "all_known"}})
    assert weighted.dataset["all_known"].values.sum() == len(table.dropna())
    dropped = bound("t.csv", used, {"formula": formula})
    assert dropped.dataset.sizes["row"] == len(table.dropna())
    _, s = at_a_draw(weighted)
    keep = np.flatnonzero(weighted.dataset["all_known"].values)
    arguments = {**weighted.data, **weighted.hyperparameters}
    sites = {name: s[name] for name in weighted.latents}
    trace = handlers.trace(handlers.substitute(handlers.seed(weighted.function, jax.random.key(0)), data=sites))
    site = trace.get_trace(**arguments)["y"]
    each = np.asarray(site["scale"] * site["fn"].log_prob(site["value"]))
    eta = s["alpha_g"][np.unique(table.g, return_inverse=True)[1]] + s["beta_x"] * (table.x - table.x.mean())
    eta += s["beta_b"] * table.b.astype(float)
    expected = stats.norm(eta[keep], s["sigma"]).logpdf(table.y[keep])
    np.testing.assert_allclose(each[keep], expected, rtol=1e-9)
    assert not each[np.setdiff1d(np.arange(len(table)), keep)].any()


def drawn(model, draws=200):
    """Draws of all latent sites from the prior."""
    tree = sampling.prior(model, np.array([1, 2], np.uint32))["prior"].to_dataset()
    return tree.isel(draw=slice(draws))


def test_rows_to_predict_say_the_value_or_have_the_median_of_those_known(place):
    table = made()
    model = bind(table, "y ~ x + b + (1 | g)")
    assert typical_row(model)["x"] == np.nanquantile(table.x, 0.5, method="lower")
    draws = drawn(model)
    key = np.array([1, 2], np.uint32)
    tree = predict_rows(model, draws, None, "", "row", [{"g": "p", "x": 100.0}, {"g": "p"}], key)
    assert set(tree["predictions"].data_vars) == {"y"}
    assert tree["predictions_constant_data"]["x"].values.tolist() == [100.0, typical_row(model)["x"]]
    far = tree["predictions"]["y"].isel(row=0) - tree["predictions"]["y"].isel(row=1)
    slope = draws["beta_x"].values * (100.0 - typical_row(model)["x"])
    assert np.corrcoef(far.values.ravel(), slope.ravel())[0, 1] > 0.99


def test_changes_are_averaged_over_rows_in_which_all_is_known(place):
    table = made()
    model = bind(table, "y ~ x + b + (1 | g)")
    draws = drawn(model)
    entry = Entry(1, "s", "e", model.model, outcomes=("y",), unit="row", groups=("g",))
    fitted = Fitted(model, entry, draws)
    target = Target("observed", "y")
    as_is, more = fitted.predicted(target, [{}, {"x": lambda old: old + 2.0}])
    np.testing.assert_allclose((more - as_is).values, 2.0 * draws["beta_x"].values, rtol=1e-6, atol=1e-9)
    no, yes = fitted.predicted(target, [{"b": 0}, {"b": 1}])
    np.testing.assert_allclose((yes - no).values, draws["beta_b"].values, rtol=1e-6, atol=1e-9)
    assert fitted.levels("b") == [0.0, 1.0]
    assert fitted.sd("x") == pytest.approx(np.nanstd(table.x, ddof=1))


def test_a_predictor_that_is_known_everywhere_has_no_model(place):
    table = made().dropna()
    model = bind(table, "y ~ x + b + (1 | g)")
    assert not model.partly_observed
    assert not [name for name in model.latents if "imputed" in name]


@pytest.mark.parametrize(
    ("values", "words"),
    [(np.nan, "x is missing in all rows"), (2.0, "x has one value in all rows in which it is known")],
)
def test_a_predictor_without_values_cannot_be_imputed(place, values, words):
    table = made()
    table.loc[table.x.notna(), "x"] = values
    table.loc[0, "x"] = np.nan
    with pytest.raises(UserError, match=words):
        bind(table, "y ~ x + z")


WRONG = [
    ("y ~ poly(x, 2)", {}, "formula", "'x' is imputed and stands in poly()", "in products such as x:z"),
    ("y ~ s(x)", {}, "formula", "'x' is imputed and stands in s()", "`missing: drop`"),
    ("y ~ C(b)", {}, "formula", "'b' is imputed and stands in C()", "write b alone"),
    ("y ~ b + c", {}, "formula", "'b' and 'c' are yes or no and imputed", "in the column c"),
]


@pytest.mark.parametrize(("formula", "entry", "field", "what", "fix"), WRONG)
def test_what_cannot_be_imputed_is_said(place, formula, entry, field, what, fix):
    table = made().assign(c=[0, 1] * 15)
    table.to_csv("t.csv", index=False)
    Path("config/studies").mkdir(parents=True)
    columns = {**COLUMNS, "c": COLUMNS["b"]}
    Path("config/studies/mine.yaml").write_text(study("t.csv", columns, {"formula": formula, **entry}))
    found = problems({"studies": ["mine"]})
    assert len(found) == 1, found
    assert found[0].startswith(f"config/studies/mine.yaml: models.it.{field}: ")
    assert what in found[0]
    assert fix in found[0]


@pytest.mark.parametrize(
    ("column", "what", "fix"),
    [
        ({"kind": "count"}, "a count column cannot be imputed, only number, integer or binary", "`missing: drop`"),
        ({"kind": "categorical"}, "a categorical column cannot be imputed", "a separate level"),
        (
            {"kind": "number", "per": "g"},
            "x has one value per g, and only values of rows are imputed",
            "`missing: drop`",
        ),
    ],
)
def test_a_column_that_cannot_be_imputed_is_said(place, column, what, fix):
    made().to_csv("t.csv", index=False)
    Path("config/studies").mkdir(parents=True)
    columns = {**COLUMNS, "x": {**column, "missing": "impute"}}
    Path("config/studies/mine.yaml").write_text(study("t.csv", columns, {"formula": "y ~ z"}))
    found = problems({"studies": ["mine"]})
    assert found[0].startswith("config/studies/mine.yaml: dataset.columns.x.missing: ")
    assert what in found[0]
    assert fix in found[0]
