"""Formulas on data with published estimates, and on others whose maximum-likelihood estimates are
computed here.

lme4 reports restricted maximum-likelihood estimates, point estimates that a posterior of few groups
is not centred at: its spreads are skewed and its priors proper. So there are two steps. The
likelihood of the data with the effects integrated out, written here with SciPy, has its maximum at
the published estimates. Times the priors that the documentation states, it is integrated by
importance sampling, which includes what priors and skewness do, and every posterior mean and
variance has to be the sampler's up to Monte Carlo error: 4.4 standard errors of both, over about
110 comparisons false alarms are below 2e-3.
"""

import shutil

import numpy as np
import pandas as pd
from arviz_stats.base import array_stats
from scipy import optimize, stats
from scipy.special import expit, gammaln, logsumexp, xlogy

from tadpool import ROOT
from tadpool.engine import lanes
from tadpool.verification import exact_comparisons
from tests.made import formulas

DATA = ROOT / "tests" / "formula" / "data"
NUMBER, COUNT, GROUP, LEVELS = ({"kind": kind} for kind in ("number", "count", "group", "categorical"))
DRAWS = 3000


def sampled(table, columns, formula, **entry):
    """The posterior of a formula: site -> draws (chain, draw)."""
    shutil.copy(DATA / table, "t.csv") if isinstance(table, str) else table.to_csv("t.csv", index=False)
    bound = formulas.bound("t.csv", columns, {"formula": formula, **entry})
    posterior = exact_comparisons.sampled(bound, lanes.Sampler(500, 1500, 0.9, 10)).groups["posterior"]
    found = {}
    for name, values in posterior.data_vars.items():
        for index in np.ndindex(values.shape[2:]):
            found[f"{name}{list(index)}" if index else name] = values.values[:, :, *index]
    return found


def integrated(log_density, start, rng):
    """Draws of a density and their log weights, by importance sampling from t distributions, the
    first of which is at its mode; and the mode."""
    mode = optimize.minimize(lambda at: -log_density(at), start, method="BFGS", options={"gtol": 1e-5}).x
    steps = 1e-3 * np.eye(len(mode))

    def curvature(i, j):
        signs = ((1, 1), (1, -1), (-1, 1), (-1, -1))
        return sum(a * b * log_density(mode + a * steps[i] + b * steps[j]) for a, b in signs) / 4e-6

    hessian = np.array([[curvature(i, j) for j in range(len(mode))] for i in range(len(mode))])
    location, shape = mode, np.linalg.inv(-hessian)
    for number in (500, 1000, DRAWS):  # the proposal is fitted to the draws before it
        proposal = stats.multivariate_t(location, 1.2 * shape, df=5, seed=rng)
        draws = proposal.rvs(number)
        log_weights = np.array([log_density(each) for each in draws]) - proposal.logpdf(draws)
        weights = np.exp(log_weights - logsumexp(log_weights))
        location, shape = weights @ draws, np.cov(draws.T, aweights=weights)
    return draws, log_weights, mode


def assert_same(found, exact, log_weights):
    """Means and variances of the sampler's draws are those of weighted ones."""
    weights = np.exp(log_weights - logsumexp(log_weights))
    assert 1 / (weights**2).sum() > 0.3 * len(weights)
    for name, values in exact.items():
        mean = weights @ values
        for what, of in (("mean", lambda x: x), ("variance", lambda x, mean=mean: (x - mean) ** 2)):
            expected = weights @ of(values)
            error = np.sqrt((weights**2) @ (of(values) - expected) ** 2)
            own = of(found[name])
            error = np.hypot(error, array_stats.mcse(own, chain_axis=0, draw_axis=1, method="mean"))
            assert abs(own.mean() - expected) < 4.4 * error, f"{what} of {name}: {own.mean()}, {expected}, {error}"


class Mixed:
    """A linear mixed model.

    y: The outcome (rows,). columns: those of common effects (rows, effects). location, widths:
    their normal prior. z: columns of the members' effects (rows, members). parts: gives the
    covariance of these (members, members) and the standard deviation of the noise. The outcome is
    turned so that all but its first elements are noise alone.
    """

    def __init__(self, y, columns, location, widths, z, parts):
        turned = np.linalg.qr(np.column_stack([columns, z]))[0]
        self.y, self.columns, self.z, self.parts = turned.T @ y, turned.T @ columns, turned.T @ z, parts
        self.rest, self.left = len(y) - turned.shape[1], y @ y - self.y @ self.y
        self.location, self.widths = np.array(location), np.array(widths)

    def covariance(self, at):
        """Of the first elements; and the log density of the others."""
        effects, noise = self.parts(at)
        within = -self.rest * np.log(noise) - self.left / noise**2 / 2
        return self.z @ effects @ self.z.T + noise**2 * np.eye(len(self.y)), within

    def reml(self, at):
        """The restricted log likelihood, and generalized least-squares estimates."""
        v, within = self.covariance(at)
        inverse = np.linalg.inv(v)
        information = self.columns.T @ inverse @ self.columns
        beta = np.linalg.solve(information, self.columns.T @ inverse @ self.y)
        left = self.y - self.columns @ beta
        value = np.linalg.slogdet(v)[1] + np.linalg.slogdet(information)[1] + left @ inverse @ left
        return within - value / 2, beta

    def marginal(self, at):
        """The log density of the outcome with the common effects integrated out."""
        v, within = self.covariance(at)
        factor = np.linalg.cholesky(v + self.columns * self.widths**2 @ self.columns.T)
        left = np.linalg.solve(factor, self.y - self.columns @ self.location)
        return within - np.log(np.diag(factor)).sum() - left @ left / 2

    def common(self, at, rng):
        """A draw of the common effects given the others."""
        inverse = np.linalg.inv(self.covariance(at)[0])
        information = self.columns.T @ inverse @ self.columns + np.diag(self.widths**-2.0)
        mean = np.linalg.solve(information, self.columns.T @ inverse @ self.y + self.location / self.widths**2)
        return rng.multivariate_normal(mean, np.linalg.inv(information))


def members(labels):
    """Whether each row is of each member."""
    labels = np.asarray(labels)
    return (labels[:, None] == np.unique(labels)).astype(float)


def mixed(model, start, priors, names, rng):
    """Weighted draws of the common effects and of the rest, whose log densities are `priors`."""

    def log_density(at):
        return model.marginal(at) + sum(prior(each) for prior, each in zip(priors, at, strict=True))

    draws, log_weights, _ = integrated(log_density, start, rng)
    common = np.array([model.common(each, rng) for each in draws])
    return common, draws, log_weights, dict(zip(names, np.exp(draws).T, strict=False))


def spread(size):
    """The density of the log of a standard deviation that is exponential."""
    return lambda log: -np.exp(log) / size + log


def test_sleepstudy(folder):
    """Bates et al. (2015), section 1.2: 251.4, 10.47; 24.7, 5.92, 0.07; 25.6."""
    table = pd.read_csv(DATA / "sleepstudy.csv")
    y, days, subjects = table.reaction.to_numpy(), table.days.to_numpy(float), members(table.subject)

    def parts(at):
        one, two, noise = np.exp(at[:3])
        cross = np.tanh(at[3]) * one * two
        return np.kron([[one**2, cross], [cross, two**2]], np.eye(18)), noise

    s, width, middle = y.std(), days.std(), days.mean()
    columns = np.column_stack([np.ones(len(y)), days - middle])
    z = np.column_stack([subjects, days[:, None] * subjects])
    model = Mixed(y, columns, [y.mean(), 0.0], [2.5 * s, 2.5 * s / width], z, parts)
    best = optimize.minimize(lambda at: -model.reml(at)[0], [3.0, 2.0, 3.0, 0.0]).x
    at_means, slope = model.reml(best)[1]
    np.testing.assert_allclose([at_means - middle * slope, slope], [251.405, 10.467], atol=2e-3)
    np.testing.assert_allclose([*np.exp(best[:3]), np.tanh(best[3])], [24.74, 5.92, 25.59, 0.07], atol=0.01)
    # LKJ(2) of a correlation is proportional to 1 - r^2, and so is the derivative of tanh.
    priors = [spread(s), spread(s / width), spread(s), lambda z: 2 * np.log(1 - np.tanh(z) ** 2)]
    names = ["sigma_subject", "sigma_days_subject", "sigma"]
    common, draws, log_weights, exact = mixed(model, best, priors, names, np.random.default_rng(1))
    exact |= {"alpha": common @ [1.0, -middle], "alpha_at_means": common[:, 0], "beta_days": common[:, 1]}
    exact |= {"correlation_subject": np.tanh(draws[:, 3])}
    columns = {"reaction": NUMBER, "days": NUMBER, "subject": GROUP}
    assert_same(sampled("sleepstudy.csv", columns, "reaction ~ days + (days | subject)"), exact, log_weights)


def two_groups(table, formula, kinds, groups, published, names):
    """An intercept and the spreads of two groups against REML and against the sampler."""
    y = table.iloc[:, 0].to_numpy()
    one, other = (members(each) for each in groups)

    def parts(at):
        return np.diag(np.repeat(np.exp(2 * at[:2]), [one.shape[1], other.shape[1]])), np.exp(at[2])

    s = y.std()
    model = Mixed(y, np.ones((len(y), 1)), [y.mean()], [2.5 * s], np.column_stack([one, other]), parts)
    best = optimize.minimize(lambda at: -model.reml(at)[0], [0.0, 0.0, 0.0]).x
    np.testing.assert_allclose([*model.reml(best)[1], *np.exp(best)], published, atol=6e-3)
    common, _, log_weights, exact = mixed(model, best, [spread(s)] * 3, names, np.random.default_rng(2))
    exact["alpha"] = common[:, 0]
    name, formula = formula
    assert_same(sampled(name, kinds, formula), exact, log_weights)


def test_pastes(folder):
    """Nested groups (Bates et al. 2015; Davies & Goldsmith 1972): 60.05; 1.29, 2.90; 0.82."""
    table = pd.read_csv(DATA / "pastes.csv")
    groups = (table.batch, table.batch + table.cask)
    kinds = {"strength": NUMBER, "batch": GROUP, "cask": GROUP}
    formula = "pastes.csv", "strength ~ 1 + (1 | batch/cask)"
    names = ["sigma_batch", "sigma_batch:cask", "sigma"]
    two_groups(table, formula, kinds, groups, [60.053, 1.287, 2.904, 0.823], names)


def test_penicillin(folder):
    """Crossed groups (Bates et al. 2015; Davies & Goldsmith 1972): 22.97; 0.85, 1.93; 0.55."""
    table = pd.read_csv(DATA / "penicillin.csv")
    kinds = {"diameter": NUMBER, "plate": GROUP, "sample": GROUP}
    formula = "penicillin.csv", "diameter ~ 1 + (1 | plate) + (1 | sample)"
    names = ["sigma_plate", "sigma_sample", "sigma"]
    two_groups(table, formula, kinds, (table.plate, table["sample"]), [22.972, 0.847, 1.932, 0.550], names)


NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(41)
WEIGHTS = np.log(WEIGHTS / WEIGHTS.sum())


def over_members(log_likelihood, eta, sd, index):
    """The log likelihood of all rows with the intercepts of members, Normal(0, sd), integrated out
    by Gauss-Hermite quadrature. log_likelihood: of each row given the linear predictor."""
    rows = log_likelihood(eta[:, None] + sd * NODES)
    of_members = np.zeros((index.max() + 1, len(NODES)))
    np.add.at(of_members, index, rows)
    return logsumexp(of_members + WEIGHTS, axis=1).sum()


def normal_prior(values, location, width):
    return stats.norm.logpdf(values, location, width).sum()


def test_cbpp(folder):
    """Bates et al. (2015), lme4's example: -1.40, -0.99, -1.13, -1.58; 0.64, by Laplace's
    approximation, from which quadrature differs by less than 0.01."""
    table = pd.read_csv(DATA / "cbpp.csv")
    columns = np.column_stack([np.ones(56), *(table.period == each for each in (2, 3, 4))]).astype(float)
    herd, k, n = table.herd.to_numpy() - 1, table.incidence.to_numpy()[:, None], table["size"].to_numpy()[:, None]
    constant = (gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)).sum()

    def likelihood(at):
        of_rows = lambda eta: k * eta - n * np.logaddexp(0, eta)  # noqa: E731
        return constant + over_members(of_rows, columns @ at[:4], np.exp(at[4]), herd)

    def log_density(at):
        return likelihood(at) + normal_prior(at[:4], 0.0, 2.5) + spread(1.0)(at[4])

    best = optimize.minimize(lambda at: -likelihood(at), [-1.0, -1.0, -1.0, -1.0, -0.5]).x
    np.testing.assert_allclose([*best[:4], np.exp(best[4])], [-1.40, -0.99, -1.13, -1.58, 0.64], atol=0.015)
    draws, log_weights, _ = integrated(log_density, best, np.random.default_rng(3))
    names = ["alpha", *(f"beta_period[{i}]" for i in range(3))]
    exact = dict(zip(names, draws.T[:4], strict=True)) | {"sigma_herd": np.exp(draws[:, 4])}
    kinds = {"herd": GROUP, "incidence": COUNT, "size": COUNT, "period": LEVELS}
    assert_same(sampled("cbpp.csv", kinds, "prop(incidence, size) ~ period + (1 | herd)"), exact, log_weights)


def log_negative_binomial(k, eta, phi):
    """Of counts (rows, 1) at means exp(eta)."""
    of = gammaln(k + phi) - gammaln(phi) - gammaln(k + 1)
    return of + k * eta + phi * np.log(phi) - (k + phi) * np.logaddexp(eta, np.log(phi))


def test_epil(folder):
    """Thall & Vail (1990), seizures of 59 patients: negative binomial with an intercept of each
    patient. The means of the coefficients are within half a standard deviation of the estimates of
    maximum likelihood."""
    table = pd.read_csv(DATA / "epil.csv")
    base, age = np.log(table.base / 4).to_numpy(), np.log(table.age).to_numpy()
    treated = (table.trt == "progabide").to_numpy(float)
    parts = np.column_stack([treated, base, age, table.V4])
    columns = np.column_stack(
        [np.ones(len(table)), treated, *((each - each.mean()) for each in (base, age)), parts[:, 3]]
    )
    widths = 2.5 / np.array([1.0, 1.0, base.std(), age.std(), 1.0])
    subject, k = table.subject.to_numpy() - 1, table.y.to_numpy()[:, None]

    def likelihood(at):
        of_rows = lambda eta: log_negative_binomial(k, eta, np.exp(-2 * at[6]))  # noqa: E731
        return over_members(of_rows, columns @ at[:5], np.exp(at[5]), subject)

    location = np.array([np.log(table.y.mean()), 0, 0, 0, 0])

    def log_density(at):
        half_normal = -np.exp(2 * at[6]) / 2 + at[6]
        return likelihood(at) + normal_prior(at[:5], location, widths) + spread(1.0)(at[5]) + half_normal

    best = optimize.minimize(lambda at: -likelihood(at), [1.7, -0.3, 0.9, 0.4, -0.1, -0.7, -1.0]).x
    draws, log_weights, _ = integrated(log_density, best, np.random.default_rng(4))
    weights = np.exp(log_weights - logsumexp(log_weights))
    means = weights @ draws
    assert np.all(np.abs(means - best)[:5] < 0.5 * np.sqrt(weights @ (draws - means) ** 2)[:5])
    names = ["alpha_at_means", "beta_trt[0]", "beta_log(base÷4)", "beta_log(age)", "beta_V4"]
    exact = dict(zip(names, draws.T[:5], strict=True))
    exact |= {"sigma_subject": np.exp(draws[:, 5]), "phi": np.exp(-2 * draws[:, 6])}
    kinds = {"subject": GROUP, "y": COUNT, "trt": LEVELS, "base": NUMBER, "age": NUMBER, "V4": {"kind": "binary"}}
    formula = "y ~ trt + log(base / 4) + log(age) + V4 + (1 | subject)"
    assert_same(sampled("epil.csv", kinds, formula, family="negative_binomial"), exact, log_weights)


def two_predictors(rows=240):
    rng = np.random.default_rng(11)
    return rng, pd.DataFrame({"x": rng.normal(3, 2, rows), "a": np.array(["p", "q"])[np.arange(rows) % 2]})


def without_groups(table, family, likelihood, further, start, location, known):
    """Coefficients of x and a, and one further number, against importance sampling, whose means
    are the maximum-likelihood estimates up to a quarter of a standard deviation.

    likelihood: of the linear predictor (rows,) and the number; further: its log prior density, and
    the site that it is.
    """
    columns = np.column_stack([np.ones(len(table)), table.x - table.x.mean(), table.a == "q"]).astype(float)
    widths = 2.5 / np.array([1.0, table.x.std(ddof=0), 1.0])
    log_prior, site, value = further

    def log_likelihood(at):
        return likelihood(table.y.to_numpy(), columns @ at[:3], at[3]).sum()

    def log_density(at):
        return log_likelihood(at) + normal_prior(at[:3], [location, 0, 0], widths) + log_prior(at[3])

    best = optimize.minimize(lambda at: -log_likelihood(at), start).x
    draws, log_weights, _ = integrated(log_density, best, np.random.default_rng(5))
    weights = np.exp(log_weights - logsumexp(log_weights))
    apart = np.abs(weights @ draws - best) / np.sqrt(weights @ (draws - weights @ draws) ** 2)
    assert apart.max() < 0.25, apart
    known(best)
    exact = dict(zip(["alpha_at_means", "beta_x", "beta_a[0]"], draws.T[:3], strict=True)) | {site: value(draws[:, 3])}
    kinds = {"y": COUNT if table.y.dtype.kind == "i" else NUMBER, "x": NUMBER, "a": LEVELS}
    assert_same(sampled(table, kinds, "y ~ x + a", family=family), exact, log_weights)


def test_zero_inflated_poisson(folder):
    """240 rows, 30 % of them zeros of another kind: the estimates are within four standard errors
    of what made the data."""
    rng, table = two_predictors()
    mean = np.exp(0.8 + 0.2 * table.x - 0.4 * (table.a == "q"))
    table["y"] = np.where(rng.random(240) < 0.3, 0, rng.poisson(mean))

    def likelihood(y, eta, logit):
        poisson, zero = stats.poisson.logpmf(y, np.exp(eta)), -np.logaddexp(0, -logit)
        apart = poisson - np.logaddexp(0, logit)
        return np.where(y == 0, np.logaddexp(zero, apart), apart)

    def known(best):
        assert abs(best[1] - 0.2) < 0.1
        assert abs(expit(best[3]) - 0.3) < 0.15

    uniform = lambda logit: -np.logaddexp(0, logit) - np.logaddexp(0, -logit)  # noqa: E731
    location = np.log(table.y.mean())
    further = uniform, "zi", expit
    without_groups(table, "zero_inflated_poisson", likelihood, further, [1.0, 0.2, 0, -1.0], location, known)


def test_beta(folder):
    """240 shares with mean expit(eta) and precision 12."""
    rng, table = two_predictors()
    mean = expit(-0.5 + 0.3 * table.x - 0.6 * (table.a == "q"))
    table["y"] = rng.beta(12 * mean, 12 * (1 - mean))

    def likelihood(y, eta, log):
        phi, mean = np.exp(-2 * log), expit(eta)
        return stats.beta.logpdf(y, mean * phi, (1 - mean) * phi)

    def known(best):
        assert abs(best[1] - 0.3) < 0.1
        assert abs(np.exp(-2 * best[3]) - 12) < 5

    half_normal = lambda log: -np.exp(2 * log) / (2 * 0.5**2) + log  # noqa: E731
    further = half_normal, "phi", lambda log: np.exp(-2 * log)
    without_groups(table, "beta", likelihood, further, [0.0, 0.2, 0.0, -1.0], 0.0, known)


def test_exponential_times_have_a_closed_form(folder):
    """Times of two arms, not censored: the log means of the arms are the maximum-likelihood
    estimates; under flat priors their posteriors are those of the log of an inverse gamma variable,
    independent of each other, to which the priors of width 2.5 add less than a hundredth of their
    standard deviation."""
    rng = np.random.default_rng(12)
    table = pd.DataFrame(
        {"y": np.append(rng.exponential(30, 80), rng.exponential(55, 60)), "a": ["p"] * 80 + ["q"] * 60}
    )
    found = sampled(table, {"y": NUMBER, "a": LEVELS}, "y ~ a", family="exponential")
    location, size = np.log(table.y.mean()), 40000
    sums = table.groupby("a").y.sum().to_numpy()
    arms = np.log(sums / rng.gamma([80, 60], size=(size, 2)))
    log_weights = stats.norm.logpdf(arms[:, 0], location, 2.5) + stats.norm.logpdf(arms[:, 1] - arms[:, 0], 0, 2.5)
    assert np.allclose(np.log(sums / [80, 60]), arms.mean(0), atol=0.01)
    assert_same(found, {"alpha": arms[:, 0], "beta_a[0]": arms[:, 1] - arms[:, 0]}, log_weights)


def test_weibull_times(folder):
    """Times of one arm: the shape solves its likelihood equation, and the mean is in closed form
    given the shape."""
    rng = np.random.default_rng(13)
    y = 40 * rng.weibull(1.7, 120)
    logs = np.log(y)

    def log_likelihood(at):
        shape = np.exp(-at[1])
        z = shape * (logs - at[0] + gammaln(1 + 1 / shape))
        return (np.log(shape) - logs + z - np.exp(z)).sum()

    def score(shape):
        return (xlogy(y**shape, y).sum() / (y**shape).sum()) - 1 / shape - logs.mean()

    best = optimize.minimize(lambda at: -log_likelihood(at), [np.log(y.mean()), -0.5]).x
    shape = optimize.brentq(score, 0.2, 10)
    scale = (y**shape).mean() ** (1 / shape)
    np.testing.assert_allclose(
        [np.exp(best[0]), np.exp(-best[1])], [scale * np.exp(gammaln(1 + 1 / shape)), shape], rtol=1e-4
    )

    def log_density(at):
        return log_likelihood(at) + stats.norm.logpdf(at[0], np.log(y.mean()), 2.5) - np.exp(2 * at[1]) / 2 + at[1]

    draws, log_weights, _ = integrated(log_density, best, rng)
    table = pd.DataFrame({"y": y})
    exact = {"alpha": draws[:, 0], "shape": np.exp(-draws[:, 1])}
    assert_same(sampled(table, {"y": NUMBER}, "y ~ 1", family="weibull"), exact, log_weights)
