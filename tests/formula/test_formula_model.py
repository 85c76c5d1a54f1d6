"""The densities of formulas against SciPy's; what stays the same in other units, for other labels
and in another order; and what is kept where a formula is bound to other rows."""

from functools import partial

import jax
import numpy as np
import numpyro
import pandas as pd
import pytest
from numpyro.infer.util import potential_energy, unconstrain_fn
from scipy import interpolate, stats

from tadpool.engine.nuts import hold_out
from tadpool.modelling import densities
from tests.made import formulas, starts

KINDS = {
    **dict.fromkeys(("y", "x", "z", "w", "e", "v"), "number"),
    **dict.fromkeys(("k", "n"), "count"),
    "a": "categorical",
    **dict.fromkeys(("g", "h"), "group"),
}
COLUMNS = {name: {"kind": kind} for name, kind in KINDS.items()}
LEVELS = ["low", "mid", "top"]


def made(rows=60):
    """Rows with two groups, of which the number `v` has one value for each member of g."""
    rng = np.random.default_rng(4)
    g, h = np.arange(rows) % 6, rng.permutation(rows) % 4
    return pd.DataFrame(
        {
            "y": 40 + 6 * rng.normal(size=rows),
            "x": 5 + 2 * rng.normal(size=rows),
            "z": rng.normal(size=rows) - 3,
            "w": rng.uniform(1, 4, rows),
            "e": rng.uniform(5, 9, rows),
            "v": np.array([3.0, 8.0, 1.0, 2.5, 9.0, 4.0])[g],
            "k": rng.poisson(6.0, rows),
            "n": rng.integers(20, 30, rows),
            "a": np.array(LEVELS)[rng.permutation(rows) % 3],
            "g": np.array(list("pqrstu"))[g],
            "h": np.array(list("ABCD"))[h],
        }
    )


def bind(table, formula, hyperparameters=None, **entry):
    table.to_csv("t.csv", index=False)
    return formulas.bound("t.csv", COLUMNS, {"formula": formula, "hyperparameters": hyperparameters or {}, **entry})


def drawn(bound, seed=5):
    """All sites at a draw from the prior, with the outcome of the data; and their log densities."""

    @partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})
    def run(key, arguments):
        inputs = {name: value for name, value in arguments.items() if name not in bound.outcomes}
        sites = densities.simulate(bound, key, {}, inputs)
        trace = densities.conditioned_trace(bound, {name: sites[name] for name in bound.latents}, arguments)
        sampled = {name: site for name, site in trace.items() if site["type"] == "sample"}
        return sites, {name: site["fn"].log_prob(site["value"]) for name, site in sampled.items()}

    with numpyro.validation_enabled(False):
        arguments = {**bound.data, **bound.hyperparameters}
        sites, found = jax.tree.map(np.asarray, run(jax.random.key(seed), arguments))
    return sites, {name: float(value.sum()) if name not in bound.outcomes else value for name, value in found.items()}


class Case:
    """What a formula says, by hand.

    eta: The linear predictor, from the table and the sites. known: site -> its prior as SciPy has
    it. groups: group -> its effects: site, the number that is taken at its mean where intercepts
    are, and the effect's mean. likelihood: from the table, the linear predictor and the sites.
    """

    def __init__(self, formula, eta, known, groups=(), family="normal", likelihood=None, **entry):
        self.formula, self.eta, self.known, self.groups = formula, eta, known, groups
        self.likelihood, self.entry = likelihood, {"family": family, **entry}


def codes(column):
    return np.unique(column, return_inverse=True)[1]


def pairs(t):
    return codes(t.g + ":" + t.h)


T = made()
S, LOC = T.y.std(ddof=0), T.y.mean()
SD = {name: T[name].std(ddof=0) for name in ("x", "z", "w", "v")}
MEAN = {name: T[name].mean() for name in ("x", "z", "w", "v")}
TOP, MID = (T.a == "top") * 1.0, (T.a == "mid") * 1.0
INTERCEPT, SIGMA = stats.norm(LOC, 2.5 * S), stats.expon(scale=S)


def slope(name, scale=S):
    return stats.norm(0, 2.5 * scale / SD[name])


def normal(t, eta, s):
    return stats.norm.logpdf(t.y, eta, s["sigma"])


def negative_binomial(t, eta, phi):
    return stats.nbinom.logpmf(t.k, phi, phi / (phi + np.exp(eta)))


def away(name):
    return lambda t: t[name] - MEAN[name]


X, Z, V = away("x"), away("z"), away("v")
PROBABLE = np.log(T.k.sum() / len(T))
AT_MEANS = "alpha_at_means"
CASES = {
    "correlated slopes": Case(
        "y ~ x + (x | g)",
        lambda t, s: s["alpha_g"][codes(t.g)] + s["beta_x_g"][codes(t.g)] * X(t),
        {"alpha_at_means": INTERCEPT, "beta_x": slope("x"), "sigma_g": SIGMA, "sigma": SIGMA,
         "sigma_x_g": stats.expon(scale=S / SD["x"]), "correlation_g": stats.beta(2, 2, -1, 2)},
        {"g": [("alpha_g", None, AT_MEANS), ("beta_x_g", "x", "beta_x")]},
    ),
    "independent slopes": Case(
        "y ~ x + (x || g)",
        lambda t, s: s["alpha_g"][codes(t.g)] + s["beta_x_g"][codes(t.g)] * X(t),
        {"alpha_at_means": INTERCEPT, "beta_x": slope("x"), "sigma_g": SIGMA, "sigma": SIGMA,
         "sigma_x_g": stats.expon(scale=S / SD["x"])},
        {"g": [("alpha_g", None, AT_MEANS), ("beta_x_g", "x", "beta_x")]},
    ),
    "three correlated effects": Case(
        "y ~ x + (x + z | g)",
        lambda t, s: s["alpha_g"][codes(t.g)] + s["beta_x_g"][codes(t.g)] * X(t) + s["delta_z_g"][codes(t.g)] * Z(t),
        {"alpha_at_means": INTERCEPT, "beta_x": slope("x"), "sigma_g": SIGMA, "sigma": SIGMA,
         "sigma_x_g": stats.expon(scale=S / SD["x"]), "sigma_z_g": stats.expon(scale=S / SD["z"])},
        {"g": [("alpha_g", None, AT_MEANS), ("beta_x_g", "x", "beta_x"), ("delta_z_g", "z", None)]},
    ),
    "slopes without a common one or intercepts": Case(
        "y ~ 1 + (0 + x | g)",
        lambda t, s: s["alpha"] + s["delta_x_g"][codes(t.g)] * t.x,
        {"alpha": INTERCEPT, "sigma": SIGMA, "sigma_x_g": stats.expon(scale=S / SD["x"])},
        {"g": [("delta_x_g", None, None)]},
    ),
    "nested groups": Case(
        "y ~ 1 + (1 | g/h)",
        lambda t, s: s["alpha_g"][codes(t.g)] + s["delta_g:h"][pairs(t)],
        {"alpha": INTERCEPT, "sigma_g": SIGMA, "sigma_g:h": SIGMA, "sigma": SIGMA},
        {"g": [("alpha_g", None, AT_MEANS)], "g:h": [("delta_g:h", None, None)]},
    ),
    "crossed groups, one with a slope alone": Case(
        "y ~ x + (1 | g) + (0 + x | h)",
        lambda t, s: s["alpha_g"][codes(t.g)] + s["beta_x_h"][codes(t.h)] * t.x - s["beta_x"] * MEAN["x"],
        {"alpha_at_means": INTERCEPT, "beta_x": slope("x"), "sigma_g": SIGMA, "sigma": SIGMA,
         "sigma_x_h": stats.expon(scale=S / SD["x"])},
        {"g": [("alpha_g", None, AT_MEANS)], "h": [("beta_x_h", None, "beta_x")]},
    ),
    "slopes of a factor": Case(
        "y ~ a + (a | g)",
        lambda t, s: s["alpha_g"][codes(t.g)] + s["beta_a.mid_g"][codes(t.g)] * MID + s["beta_a.top_g"][codes(t.g)] * TOP,
        {"alpha": INTERCEPT, "beta_a": stats.norm(0, 2.5 * S), "sigma_g": SIGMA, "sigma": SIGMA,
         "sigma_a.mid_g": SIGMA, "sigma_a.top_g": SIGMA},
        {"g": [("alpha_g", None, AT_MEANS), ("beta_a.mid_g", None, ("beta_a", 0)), ("beta_a.top_g", None, ("beta_a", 1))]},
    ),
    "interaction": Case(
        "y ~ x * z + a:x",
        lambda t, s: s["alpha"] + s["beta_x"] * t.x + s["beta_z"] * t.z + s["beta_x:z"] * t.x * t.z
        + t.x * (MID * s["beta_a:x"][0] + TOP * s["beta_a:x"][1]),
        {"alpha_at_means": INTERCEPT, "beta_x": slope("x"), "beta_z": slope("z"), "sigma": SIGMA,
         "beta_x:z": stats.norm(0, 2.5 * S / SD["x"] / SD["z"]), "beta_a:x": slope("x")},
    ),
    "transforms": Case(
        "y ~ 0 + I(x ** 2) + log(w) + scale(z)",
        lambda t, s: s["beta_I(x**2)"] * t.x**2 + s["beta_log(w)"] * np.log(t.w) + s["beta_scale(z)"] * Z(t) / SD["z"],
        {"beta_I(x**2)": stats.norm(0, 2.5 * S / np.std(T.x**2)), "beta_log(w)": stats.norm(0, 2.5 * S / np.std(np.log(T.w))),
         "beta_scale(z)": stats.norm(0, 2.5 * S), "sigma": SIGMA},
    ),
    "sum coding and a reference": Case(
        "y ~ S(a) + T(g, 'q')",
        lambda t, s: s["alpha"] + np.column_stack([t.a == "low", t.a == "mid"]) @ s["beta_S(a)"]
        - (t.a == "top") * s["beta_S(a)"].sum()
        + np.column_stack([t.g == each for each in "prstu"]) @ s["beta_T(g,'q')"],
        {"beta_S(a)": stats.norm(0, 2.5 * S), "beta_T(g,'q')": stats.norm(0, 2.5 * S), "sigma": SIGMA},
    ),
    "a number of the group": Case(
        "y ~ x + v + (1 | g)",
        lambda t, s: s["alpha_g"][codes(t.g)] + s["beta_x"] * X(t),
        {"alpha_at_means": INTERCEPT, "beta_x": slope("x"), "beta_v": slope("v"), "sigma_g": SIGMA, "sigma": SIGMA},
        {"g": [("alpha_g", None, lambda t, s: s["alpha_at_means"] + s["beta_v"] * V(t).groupby(codes(t.g)).first())]},
    ),
    "offset and exposure": Case(
        "k | rate(e) ~ x + offset(log(w)) + (1 | g)",
        lambda t, s: np.log(t.e) + np.log(t.w) + s["alpha_g"][codes(t.g)] + s["beta_x"] * X(t),
        {"alpha_at_means": stats.norm(np.log(T.k.sum() / (T.e * T.w).sum()), 2.5), "beta_x": slope("x", 1.0),
         "sigma_g": stats.expon()},
        {"g": [("alpha_g", None, AT_MEANS)]},
        family="poisson",
        likelihood=lambda t, eta, s: stats.poisson.logpmf(t.k, np.exp(eta)),
    ),
    "trials": Case(
        "prop(k, n) ~ x",
        lambda t, s: s["alpha_at_means"] + s["beta_x"] * X(t),
        {"alpha_at_means": stats.norm(0, 2.5), "beta_x": slope("x", 1.0)},
        family="binomial",
        likelihood=lambda t, eta, s: stats.binom.logpmf(t.k, t.n, 1 / (1 + np.exp(-eta))),
    ),
    "known errors": Case(
        "y | se(e) ~ x",
        lambda t, s: s["alpha_at_means"] + s["beta_x"] * X(t),
        {"alpha_at_means": INTERCEPT, "beta_x": slope("x")},
        likelihood=lambda t, eta, s: stats.norm.logpdf(t.y, eta, t.e),
    ),
    "a further parameter with a factor": Case(
        "k ~ x",
        lambda t, s: s["alpha_at_means"] + s["beta_x"] * X(t),
        {"alpha_at_means": stats.norm(PROBABLE, 2.5), "beta_x": slope("x", 1.0), "alpha_phi": stats.norm(0, 2.5),
         "beta_phi_a": stats.norm(0, 2.5)},
        family="negative_binomial",
        parameters={"phi": "~ a"},
        likelihood=lambda t, eta, s: negative_binomial(
            t, eta, np.exp(s["alpha_phi"] + MID * s["beta_phi_a"][0] + TOP * s["beta_phi_a"][1])
        ),
    ),
    "a further parameter with groups": Case(
        "y ~ x",
        lambda t, s: s["alpha_at_means"] + s["beta_x"] * X(t),
        {"alpha_at_means": INTERCEPT, "beta_x": slope("x"), "alpha_at_means_sigma": stats.norm(np.log(S), 2.5),
         "beta_sigma_z": slope("z", 1.0), "sigma_sigma_g": stats.expon()},
        {"g": [("alpha_sigma_g", None, "alpha_at_means_sigma")]},
        parameters={"sigma": "~ z + (1 | g)"},
        likelihood=lambda t, eta, s: stats.norm.logpdf(
            t.y, eta, np.exp(s["alpha_sigma_g"][codes(t.g)] + s["beta_sigma_z"] * Z(t))
        ),
    ),
    "own priors": Case(
        "y ~ x + z + (x | g)",
        lambda t, s: s["alpha_g"][codes(t.g)] + s["beta_x_g"][codes(t.g)] * X(t) + s["beta_z"] * Z(t),
        {"alpha_at_means": stats.norm(LOC + S, 2 * S), "beta_x": stats.norm(10, 5), "beta_z": stats.t(3, 0, S / SD["z"]),
         "sigma_g": stats.halfnorm(scale=2 * S), "sigma_x_g": stats.halfnorm(scale=2 * S / SD["x"]), "sigma": SIGMA,
         "correlation_g": stats.beta(1, 1, -1, 2)},
        {"g": [("alpha_g", None, AT_MEANS), ("beta_x_g", "x", "beta_x")]},
        priors={"x": "normal(10, 5)", "coefficients": "student_t(3, 0, 1)", "intercept": "normal(1, 2)",
                "sd": "half_normal(2)", "cor": "lkj(1)"},
    ),
}  # fmt: skip


def of_effects(case, group, effects, s):
    """The log density of the effects of a group's members, and that of the standardized distances
    that they may be computed from less it."""
    names = [site for site, *_ in effects]
    parameter = "sigma_" if case.entry.get("parameters", {}).get("sigma") else ""
    short = [name.removeprefix("alpha_").removeprefix("beta_").removeprefix("delta_") for name in names]
    sd = np.array([s[f"sigma_{parameter}{each.removeprefix(parameter)}"] for each in short])
    correlation = np.eye(len(names))
    if len(names) > 1 and "||" not in case.formula:
        rho = s[f"correlation_{group}"]
        correlation = rho if np.ndim(rho) else np.array([[1, rho], [rho, 1]])
    values = np.column_stack([s[name] for name in names])
    means = np.column_stack([np.broadcast_to(mean_of(mean, s), len(values)) for *_, mean in effects])
    for at, (_, column, _) in enumerate(effects):
        if column:  # the spread of intercepts is that where numbers are 0
            values[:, 0], means[:, 0] = (each[:, 0] - MEAN[column] * each[:, at] for each in (values, means))
    covariance = correlation * np.outer(sd, sd)
    density = sum(
        stats.multivariate_normal.logpdf(a - b, np.zeros(len(sd)), covariance)
        for a, b in zip(values, means, strict=True)
    )
    return density, len(values) / 2 * np.linalg.slogdet(covariance)[1]


def mean_of(mean, s):
    if mean is None:
        return 0.0
    if mean == AT_MEANS:
        return s.get(AT_MEANS, s["alpha"])
    if callable(mean):
        return mean(T, s)
    return s[mean] if isinstance(mean, str) else s[mean[0]][mean[1]]


PARAMETRIZED = [
    (name, parametrization)
    for name, case in CASES.items()
    for parametrization in (["centred", "non_centred"] if case.groups else ["auto"])
]


@pytest.mark.parametrize(("name", "parametrization"), PARAMETRIZED)
def test_a_formula_has_the_density_that_it_says(folder, name, parametrization):
    """At a draw from the prior, every site against SciPy: the outcome of each row given the
    effects, and the effects together, however they are sampled."""
    case = CASES[name]
    bound = bind(T, case.formula, {"parametrization": parametrization}, **case.entry)
    s, found = drawn(bound)
    outcome = bound.outcomes[0]
    expected = (case.likelihood or normal)(T, case.eta(T, s), s)
    np.testing.assert_allclose(found[outcome], expected, rtol=1e-9, atol=1e-9)
    seen = {outcome}
    for site, prior in case.known.items():
        np.testing.assert_allclose(found[site], prior.logpdf(s[site]).sum(), rtol=1e-9, atol=1e-9, err_msg=site)
        seen.add(site)
    for group, effects in dict(case.groups).items():
        centred, less = of_effects(case, group, effects, s)
        sampled = [each for each in found if each.removesuffix("_decentered") in [site for site, *_ in effects]]
        assert all(each.endswith("_decentered") == (parametrization == "non_centred") for each in sampled)
        value = sum(found[each] for each in sampled) - (less if parametrization == "non_centred" else 0.0)
        np.testing.assert_allclose(value, centred, rtol=1e-8, atol=1e-8, err_msg=group)
        seen |= set(sampled)
    apart = set(found) - seen
    assert apart <= {"alpha", "alpha_at_means", "overdispersion", "partial_correlations_g", "sigma", "correlation_g"}, (
        apart
    )


def test_three_partial_correlations_are_lkj(folder):
    """Beta distributions on (-1, 1) (Lewandowski, Kurowicka & Joe 2009), and the density
    det(R)^(eta - 1) of the matrix times the Jacobian."""
    s, found = drawn(bind(T, CASES["three correlated effects"].formula))
    partial_correlations, matrix = s["partial_correlations_g"], s["correlation_g"]
    shapes = np.array([2.5, 2.5, 2.0])
    each = stats.beta.logpdf(partial_correlations, shapes, shapes, -1, 2)
    assert found["partial_correlations_g"] == pytest.approx(each.sum(), rel=1e-9)
    assert np.linalg.det(matrix) == pytest.approx(np.prod(1 - partial_correlations**2), rel=1e-9)
    other, there = drawn(bind(T, CASES["three correlated effects"].formula), seed=6)
    differences = [lkj(each) - density["partial_correlations_g"] for each, density in ((s, found), (other, there))]
    assert differences[0] == pytest.approx(differences[1], abs=1e-9)


def lkj(s):
    """The density of the partial correlations that LKJ(2) of the matrix implies, up to a constant:
    the matrix has the first two, and r[0] r[1] + r[2] sqrt((1 - r[0]^2) (1 - r[1]^2))."""
    jacobian = 0.5 * np.log(1 - s["partial_correlations_g"][:2] ** 2).sum()
    return (2 - 1) * np.linalg.slogdet(s["correlation_g"])[1] + jacobian


def at_rows(bound, sites, dataset):
    """The linear predictor of a normal outcome at other rows, and their arrays."""
    there = bound.rebind(dataset.drop_vars("y"))
    kept = {name: sites[name] for name in there.latents}
    with numpyro.validation_enabled(False), numpyro.handlers.seed(rng_seed=0):
        trace = densities.conditioned_trace(there, kept, {**there.data, **there.hyperparameters})
    return np.asarray(trace["y"]["fn"].loc), there.data


CURVES = "y ~ poly(x, 2) + bs(z, df=4) + s(w, k=6) + scale(e) + a + v + (x | g) + (1 | g:h)"


def test_rows_that_were_sampled_from_have_the_same_linear_predictor_alone(folder):
    """Knots, constants, levels, means and members are those of the study's data."""
    bound = bind(T, CURVES)
    s, _ = drawn(bound)
    whole, _ = at_rows(bound, s, bound.dataset)
    for rows in ([7], [3, 17, 41], list(range(59, -1, -1))):
        found, _ = at_rows(bound, s, bound.dataset.isel(row=rows))
        np.testing.assert_allclose(found, whole[rows], rtol=1e-12)


def test_other_values_have_the_polynomials_and_splines_of_the_data(folder):
    """Columns at new values: polynomials of degree 2, cubic splines with the knots of the data, and
    natural ones with a knot at each value, as SciPy continues them."""
    bound = bind(T, CURVES)
    s, _ = drawn(bound)
    rng = np.random.default_rng(2)
    new = {name: rng.uniform(T[name].min(), T[name].max(), 60) for name in ("x", "z", "w", "e")}
    _, data = at_rows(bound, s, bound.dataset.assign({name: ("row", value) for name, value in new.items()}))
    knots = np.r_[[T.z.min()] * 4, np.median(T.z), [T.z.max()] * 4]
    for i in (1, 2):
        name = f"formula:poly(x,2).{i}"
        np.testing.assert_allclose(data[name], np.polyval(np.polyfit(T.x, bound.data[name], i), new["x"]), atol=1e-10)
    old, there = (
        np.nan_to_num(interpolate.BSpline.design_matrix(each, knots, 3).toarray()) for each in (T.z, new["z"])
    )
    for i in (1, 2, 3, 4):
        name = f"formula:bs(z,df=4).{i}"
        np.testing.assert_allclose(data[name], there @ np.linalg.lstsq(old, bound.data[name])[0], atol=1e-10)
        assert abs(bound.data[name].mean()) < 1e-10
    order = np.argsort(T.w)
    for name in ("formula:s(w,k=6)", *(f"formula:s(w,k=6).{i}" for i in range(5))):
        spline = interpolate.CubicSpline(T.w[order], bound.data[name][order], bc_type="natural")
        np.testing.assert_allclose(data[name], spline(new["w"]), atol=1e-7, err_msg=name)
    np.testing.assert_allclose(data["formula:scale(e)"], (new["e"] - T.e.mean()) / T.e.std(ddof=0), rtol=1e-12)


def test_polynomials_are_those_of_r(folder):
    """Orthonormal, and orthogonal to constants."""
    data = bind(T, "y ~ poly(x, 3) + poly(z, 2, raw=True)").data
    columns = np.column_stack([np.ones(60) / np.sqrt(60), *(data[f"formula:poly(x,3).{i}"] for i in (1, 2, 3))])
    np.testing.assert_allclose(columns.T @ columns, np.eye(4), atol=1e-10)
    np.testing.assert_allclose(data["formula:poly(z,2,raw=True).2"], T.z**2, rtol=1e-12)


def test_a_smooth_is_a_line_and_deviations_that_are_penalized_by_their_curvature(folder):
    """The integral of the squared second derivative is the sum of squared coefficients, times a
    constant; a unit of their standard deviation is the typical size of the curve."""
    bound = bind(T, "y ~ x + s(w, k=7)", {"sd_rate": 2.0})
    data, order = bound.data, np.argsort(T.w)
    linear = data["formula:s(w,k=7)"]
    np.testing.assert_allclose(linear, (T.w - T.w.mean()) / T.w.std(ddof=0), atol=1e-9)
    curved = np.column_stack([data[f"formula:s(w,k=7).{i}"] for i in range(6)])
    second = interpolate.CubicSpline(T.w[order], curved[order], bc_type="natural").derivative(2)
    # Second derivatives are linear between knots: Simpson's rule is exact for their products.
    knots = T.w[order].to_numpy()
    places = zip((1, 4, 1), (knots[:-1], (knots[:-1] + knots[1:]) / 2, knots[1:]), strict=True)
    parts = [(factor, second(each)) for factor, each in places]
    energy = sum(factor * np.einsum("i,ij,ik->jk", np.diff(knots) / 6, each, each) for factor, each in parts)
    np.testing.assert_allclose(energy / energy[0, 0], np.eye(6), atol=1e-6)
    assert (curved**2).sum(1).mean() == pytest.approx(1.0)
    s, found = drawn(bound)
    eta = s["alpha_at_means"] + s["beta_x"] * X(T) + s["beta_s(w,k=7)"] * linear + curved @ s["delta_s(w,k=7)"]
    np.testing.assert_allclose(found["y"], normal(T, eta, s), rtol=1e-9)
    assert found["beta_s(w,k=7)"] == pytest.approx(stats.norm.logpdf(s["beta_s(w,k=7)"], 0, 2.5 * S), rel=1e-9)
    assert found["sigma_s(w,k=7)"] == pytest.approx(stats.expon.logpdf(s["sigma_s(w,k=7)"], scale=S / 2), rel=1e-9)
    np.testing.assert_allclose(s["delta_s(w,k=7)"], s["sigma_s(w,k=7)"] * s["delta_s(w,k=7)_decentered"], rtol=1e-12)


def test_a_member_s_own_number_can_be_changed_and_new_members_have_theirs(folder):
    """The intercept of a known member has the part of its number; that of new members too."""
    bound = bind(T, "y ~ x + v + (1 | g)")
    s, _ = drawn(bound)
    dataset = bound.dataset.isel(row=[0, 1, 2])
    before, _ = at_rows(bound, s, dataset)
    change = np.array([0.0, 2.0, -1.0])
    changed = dataset.assign(v=("row", dataset["v"].values + change))
    after, _ = at_rows(bound, s, changed)
    np.testing.assert_allclose(after - before, s["beta_v"] * change, rtol=1e-9, atol=1e-9)
    new = dataset.drop_dims("g").assign(g_index=("row", [0, 0, 1]), v=("row", [20.0, 20.0, 30.0]))
    there = bound.rebind(new.drop_vars("y").assign_coords(g=["new", "newer"]))
    given = {name: s[name] for name in there.latents if "g" not in there.dims[name]}
    kept = {**given, "alpha_g": np.array([50.0, 60.0])}
    if "alpha_g_decentered" in there.latents:
        mean = s["alpha_at_means"] + s["beta_v"] * (np.array([20.0, 30.0]) - MEAN["v"])
        kept = {**given, "alpha_g_decentered": (kept["alpha_g"] - mean) / s["sigma_g"]}
    with numpyro.validation_enabled(False), numpyro.handlers.seed(rng_seed=0):
        trace = densities.conditioned_trace(there, kept, {**there.data, **there.hyperparameters})
    expected = np.array([50.0, 50.0, 60.0]) + s["beta_x"] * (new["x"].values - MEAN["x"])
    np.testing.assert_allclose(trace["y"]["fn"].loc, expected, rtol=1e-9)


SUMMED = [
    ("y ~ x * a + (x | g)", {}),
    ("y ~ x + bs(z, df=4) + (1 | g) + (1 | h)", {"family": "normal"}),
    ("prop(k, n) ~ a + (1 | g/h)", {"family": "binomial"}),
    ("k | rate(e) ~ a + offset(log(w)) + (1 | g) + (1 | h)", {"family": "poisson"}),
]


@pytest.mark.parametrize(("formula", "entry"), SUMMED)
def test_sums_over_cells_are_the_log_likelihood_of_the_rows(folder, formula, entry):
    """Density and gradient at a draw from the prior, with a third of the rows held out, against
    the model with one term for each row."""
    table = made(600)
    summed, rows = (bind(table, formula, {"collapse": each}, **entry) for each in (True, False))
    assert summed.facts["cells"]["collapsed"]
    assert "cells" not in rows.facts
    outcome = rows.outcomes[0]
    with numpyro.validation_enabled(False):
        arguments = {**rows.data, **rows.hyperparameters}
        sites = densities.simulate(rows, jax.random.key(3), {}, {**rows.inputs, **rows.hyperparameters})
        z = unconstrain_fn(rows.function, (), arguments, {name: sites[name] for name in rows.latents})
    z = {name: z[name] for name in rows.latents}
    held_out = {outcome: np.random.default_rng(2).random(600) < 1 / 3}

    def potential(z, bound, joint):
        with hold_out(held_out=held_out, joint=joint):
            return potential_energy(bound.function, (), {**bound.data, **bound.hyperparameters}, z)

    (expected, slope), (found, own_slope) = (
        jax.jit(jax.value_and_grad(partial(potential, bound=bound, joint=joint)))(z)
        for bound, joint in ((rows, False), (summed, True))
    )
    assert float(found) == pytest.approx(float(expected), rel=1e-10)
    for name, value in slope.items():
        np.testing.assert_allclose(own_slope[name], value, rtol=1e-7, atol=1e-7 * np.abs(value).max(), err_msg=name)


def in_units(table):
    return table.assign(y=table.y * 1e6, x=table.x * 1e-3, w=table.w * 1e4, v=table.v * 60)


def moved(table):
    return table.assign(y=table.y * 1e-3 + 20, x=table.x * 1e3 - 7e4, w=100 + table.w * 0.5, v=table.v + 1e3)


def shuffled(table):
    return table.sample(frac=1, random_state=3)


NEW = {"g": dict(zip("pqrstu", "zyxwvu", strict=True)), "h": dict(zip("ABCD", "dcba", strict=True))}


def renamed(table):
    return table.assign(**{name: table[name].map(NEW[name]) for name in NEW})


PARTS = "poly(x, 2) + bs(w, df=4) + s(w, k=5) + a + v"
SAME = [
    (f"y ~ x * z + {PARTS} + (x | g) + (1 | g:h)", (in_units, shuffled, renamed), {}),
    (f"y ~ x + {PARTS} + (1 | g) + (1 | h)", (in_units, moved), {"family": "student"}),
    ("y ~ x + (1 | g)", (in_units, moved, renamed), {"family": "normal", "parameters": {"sigma": "~ x + (1 | g)"}}),
    (f"k ~ {PARTS} + (x | g)", (in_units, shuffled, renamed), {"family": "negative_binomial", "parameters": {"phi": "~ x"}}),
]  # fmt: skip


@pytest.mark.parametrize(("formula", "changes", "entry"), SAME)
def test_the_sampler_sees_the_same_in_all_units(folder, formula, changes, entry):
    """The density at points where chains start, up to a constant, and its gradient; of data in
    other units, moved, in another order, and with members that have other names."""
    bound = bind(T, formula, **entry)
    at_start = jax.jit(partial(starts.values, bound.function, bound.latents))
    latent = bound.latents
    _, slopes, energies = jax.tree.map(np.asarray, at_start({**bound.data, **bound.hyperparameters}, order={}))
    for change in changes:
        other = bind(change(T), formula, **entry)
        assert other.latents == latent
        assert {n: e["centred"] for n, e in other.facts["effects"].items()} == {
            n: e["centred"] for n, e in bound.facts["effects"].items()
        }
        order = {name: positions(bound, other, name, change) for name in latent}
        order = {name: each for name, each in order.items() if each is not None}
        run = jax.jit(partial(starts.values, other.function, latent))
        _, own, energy = jax.tree.map(np.asarray, run({**other.data, **other.hyperparameters}, order=order))
        np.testing.assert_allclose(
            np.ptp(energy - energies), 0, atol=1e-8 * np.abs(energies).max(), err_msg=change.__name__
        )
        for name, slope in slopes.items():
            size = 1e-7 * (1 + np.abs(slope).max())
            np.testing.assert_allclose(own[name], slope, rtol=1e-7, atol=size, err_msg=f"{name}, {change.__name__}")


def positions(bound, other, site, change):
    """Where the members of a site's last dim stand in the other data; None where they stand in the
    same places."""
    dim = (bound.dims[site] or ("",))[-1]
    if change is not renamed or dim not in ("g", "h", "g:h"):
        return None
    names = [":".join(NEW[of][each] for of, each in zip(dim.split(":"), str(label).split(":"), strict=True))
             for label in bound.dataset[dim].values]  # fmt: skip
    there = [str(each) for each in other.dataset[dim].values]
    return np.array([names.index(each) for each in there])
