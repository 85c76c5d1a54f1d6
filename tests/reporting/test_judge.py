"""`tadpool judge`: draws of other programs are read as they are and judged as tadpool's own."""

import json

import arviz_stats
import numpy as np
import pytest
import xarray as xr

from tadpool import __main__ as launcher
from tadpool.convergence import verdicts
from tadpool.errors import UserError
from tadpool.evaluation import foreign_fits
from tadpool.files import draws_tables, foreign_draws
from tadpool.reporting import judge
from tadpool.reporting.pages import judgement
from tests.made import programs
from tests.made.results import fit

CHAINS, DRAWS = 4, 250
SAMPLE = ("chain", "draw")


def posterior(seed=3, apart=0.0):
    rng = np.random.default_rng(seed)
    mu = rng.normal(size=(CHAINS, DRAWS)) + apart * np.arange(CHAINS)[:, None]
    theta = rng.normal(size=(CHAINS, DRAWS, 3))
    return xr.Dataset({"mu": (SAMPLE, mu), "theta": ((*SAMPLE, "town"), theta)}, coords={"town": ["a", "b", "c"]})


def stan_csv(path, chain, draws, warmup=20, divergent=0, depth=3):
    """A file as CmdStan writes it, with its warm-up saved."""
    rng = np.random.default_rng(chain)
    names = ["lp__", "accept_stat__", "stepsize__", "treedepth__", "n_leapfrog__", "divergent__", "energy__", "mu"]
    names += ["theta.1", "theta.2", "theta.3", "log_lik.1", "log_lik.2"]
    mu, theta = draws["mu"].values[chain], draws["theta"].values[chain]
    rows = []
    for i in range(-warmup, len(mu)):
        stats = [-1.0, 0.9, 0.5, depth, 7, int(0 <= i < divergent), rng.normal()]
        values = [mu[i], *theta[i]] if i >= 0 else [99.0] * 4
        rows.append([*stats, *values, -1 - values[0] ** 2 / 200, -1.5])
    head = "# model = bernoulli\n# method = sample\n#     num_warmup = 20\n#     save_warmup = 1\n#     thin = 1\n"
    head += "#     max_depth = 10 (Default)\n"
    table = (
        ",".join(names)
        + "\n# Adaptation terminated\n"
        + "".join(",".join(repr(float(value)) for value in row) + "\n" for row in rows)
    )
    path.write_text(head + table + "# Elapsed Time: 0.1 seconds\n")
    return path


def written_stan(folder, draws, **options):
    return [stan_csv(folder / f"chain_{chain}.csv", chain, draws, **options) for chain in range(CHAINS)]


def test_chains_of_cmdstan_are_one_fit_without_their_warmup(tmp_path):
    draws = posterior()
    ((name, tree),) = foreign_draws.read(written_stan(tmp_path, draws))
    assert name == f"{tmp_path / 'chain_0.csv'} and 3 more"
    np.testing.assert_array_equal(tree["posterior"]["mu"], draws["mu"])
    np.testing.assert_array_equal(tree["posterior"]["theta"], draws["theta"])
    assert set(tree["posterior"].data_vars) == {"mu", "theta"}
    assert tree["log_likelihood"]["log_lik"].shape == (CHAINS, DRAWS, 2)
    assert tree["sample_stats"]["diverging"].dtype == bool
    report = foreign_fits.judged(tree)
    assert report["verdict"] == "pass"
    same_in_all_draws = "log_lik: no elpd can be computed by PSIS (All tail values are the same)"
    assert any(same_in_all_draws in line for line in judge.lines(name, report))


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_table_of_draws_is_the_same_fit(tmp_path, ending):
    path = draws_tables.write(
        tmp_path / f"draws.{ending}", draws_tables.table(posterior()).sample(frac=1, random_state=1)
    )
    ((_, tree),) = foreign_draws.read([path])
    np.testing.assert_array_equal(tree["posterior"]["mu"], posterior()["mu"])
    report = foreign_fits.judged(tree)
    assert report["verdict"] == "pass"
    assert [row["parameter"] for row in report["parameters"]] == ["mu", "theta[a]", "theta[b]", "theta[c]"]
    assert report["unknown"][0] == "divergences, tree depth, E-BFMI: the file has no such statistics of the sampler"
    assert {"diverging", "bfmi_min", "acceptance_rate"}.isdisjoint(report["diagnostics"])


def test_statistics_are_those_of_arviz():
    tree = xr.DataTree.from_dict({"posterior": posterior(apart=0.1)})
    rows = {row["parameter"]: row for row in foreign_fits.judged(tree)["parameters"]}
    for name, function in {"rhat": arviz_stats.rhat, "ess_bulk": arviz_stats.ess}.items():
        own = function(tree["posterior"].to_dataset())
        assert rows["mu"][name] == pytest.approx(float(own["mu"]), rel=1e-10)
        assert rows["theta[b]"][name] == pytest.approx(float(own["theta"].sel(town="b")), rel=1e-10)


@pytest.mark.parametrize("kind", ["ok", "stuck"])
def test_a_fit_of_tadpool_is_judged_as_by_itself(kind):
    tree, _ = fit(np.random.default_rng(1), kind)
    own = verdicts.check(tree)
    report = foreign_fits.judged(tree)
    assert {key: report[key] for key in own} == own


def test_names_of_other_libraries_are_known(tmp_path):
    rng = np.random.default_rng(2)
    stats = {"accept_prob": (SAMPLE, np.full((CHAINS, DRAWS), 0.9)), "num_steps": (SAMPLE, np.ones((CHAINS, DRAWS)))}
    stats |= {
        "diverging": (SAMPLE, rng.random((CHAINS, DRAWS)) < 0.02),
        "energy": (SAMPLE, rng.normal(size=(CHAINS, DRAWS))),
    }
    path = tmp_path / "fit.nc"
    xr.DataTree.from_dict({"posterior": posterior(), "sample_stats": xr.Dataset(stats)}).to_netcdf(path)
    ((_, tree),) = foreign_draws.read([path])
    report = foreign_fits.judged(tree)
    assert report["verdict"] == "fail"
    assert [each["code"] for each in report["reasons"]] == ["diverging"]
    assert report["diagnostics"]["n_steps_mean"] == 1
    assert "tree depth: the file has no such" in report["unknown"][0]


def test_divergences_and_tree_depth_of_cmdstan_are_judged(tmp_path):
    ((_, tree),) = foreign_draws.read(written_stan(tmp_path, posterior(), divergent=3, depth=10))
    assert {each["code"] for each in foreign_fits.judged(tree)["reasons"]} == {"diverging", "tree_depth"}


def test_elements_that_never_change_are_not_stuck_but_parameters_are():
    matrix = np.random.default_rng(5).normal(size=(CHAINS, DRAWS, 2))
    matrix[..., 0] = 1.0
    draws = posterior().assign(L=((*SAMPLE, "cell"), matrix))
    assert foreign_fits.judged(xr.DataTree.from_dict({"posterior": draws}))["verdict"] == "pass"
    still = draws.assign(nu=(SAMPLE, np.ones((CHAINS, DRAWS))))
    report = foreign_fits.judged(xr.DataTree.from_dict({"posterior": still}))
    assert [(each["code"], each["site"]) for each in report["reasons"]] == [("constant", "nu")]
    assert foreign_fits.judged(xr.DataTree.from_dict({"posterior": still}), ["mu"])["verdict"] == "pass"


def _with_densities(scale):
    """A normal mean whose prior has this standard deviation and lies 3 from the data."""
    rng = np.random.default_rng(7)
    y = rng.normal(3.0, 1.0, 20)
    precision = 1 / scale**2 + 20
    mu = rng.normal(20 * y.mean() / precision, precision**-0.5, (CHAINS, 1000))
    like = -0.5 * (y - mu[..., None]) ** 2 - 0.5 * np.log(2 * np.pi)
    groups = {"posterior": {"mu": (SAMPLE, mu)}, "log_prior": {"mu": (SAMPLE, -0.5 * (mu / scale) ** 2)}}
    groups["log_likelihood"] = {"y": ((*SAMPLE, "row"), like)}
    return xr.DataTree.from_dict({name: xr.Dataset(group) for name, group in groups.items()})


def test_scores_are_those_of_arviz_and_a_prior_against_the_data_is_found():
    wide, narrow = foreign_fits.judged(_with_densities(10.0)), foreign_fits.judged(_with_densities(0.5))
    score = arviz_stats.loo(_with_densities(10.0))
    assert wide["psis"][0]["elpd"] == pytest.approx(float(score.elpd), rel=1e-12)
    assert (wide["psis"][0]["bad"], wide["psis"][0]["of"]) == (0, 20)
    assert wide["sensitivity"] == {"scaled": ["mu"], "parameters": []}
    assert [row["diagnosis"] for row in narrow["sensitivity"]["parameters"]] == ["conflict"]
    said = "\n".join(judge.lines("x", narrow))
    assert "mu: prior and data may disagree" in said
    assert "0 of 20 observations have a Pareto k above 0.70\n" in said


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("draws.csv", "mu\n1.0\n", "has no column .chain, chain or chain__; add a column .chain"),
        ("draws.csv", ".chain,mu\n1,1.0\n1,2.0\n2,1.0\n", "chains have 1 to 2 draws; give all of them as many"),
        ("draws.csv", ".chain,mu\n1,a\n2,b\n", "column mu: could not convert"),
        ("draws.csv", ".chain,.draw\n1,1\n2,2\n", "has no column of a parameter"),
        ("draws.txt", "x", "draws are read from .nc"),
        ("fit.nc", "x", "cannot be read as NetCDF"),
    ],
)
def test_a_file_that_holds_no_draws_is_one_sentence(name, text, words, tmp_path, capsys):
    (tmp_path / name).write_text(text)
    assert judge.main([str(tmp_path / name)]) == 2
    assert words in capsys.readouterr().err


def test_a_broken_chain_of_cmdstan_is_named(tmp_path):
    files = written_stan(tmp_path, posterior())
    files[1].write_text(files[1].read_text().replace("-1.5\n", "-1.5x\n"))
    with pytest.raises(UserError, match=r"chain_1.csv, column log_lik.2: could not convert .*; run the chain again"):
        foreign_draws.read(files)


def test_chains_of_different_fits_are_refused(tmp_path):
    files = written_stan(tmp_path, posterior())
    files[2].write_text(files[2].read_text().replace("theta.3", "theta.4"))
    with pytest.raises(UserError, match=r"chain_2.csv and .*chain_0.csv differ in columns or rows"):
        foreign_draws.read(files)


def test_a_group_that_is_absent_or_not_of_draws_is_named(tmp_path):
    xr.DataTree.from_dict({"prior": posterior()}).to_netcdf(tmp_path / "prior.nc")
    with pytest.raises(UserError, match="has no group posterior, but prior"):
        foreign_draws.read([tmp_path / "prior.nc"])
    xr.DataTree.from_dict({"posterior": posterior().mean("chain")}).to_netcdf(tmp_path / "one.nc")
    with pytest.raises(UserError, match="mu has no dims chain and draw"):
        foreign_draws.read([tmp_path / "one.nc"])


def test_the_command_prints_each_fit_and_its_status_says_the_worst(tmp_path, capsys):
    good = draws_tables.write(tmp_path / "good.csv", draws_tables.table(posterior()))
    bad = draws_tables.write(tmp_path / "bad.csv", draws_tables.table(posterior(apart=3.0)))
    assert launcher.main(["judge", str(good)]) == 0
    assert capsys.readouterr().out.startswith(f"{good}: pass (4 chains of 250 draws, 4 parameters)\n")
    assert launcher.main(["judge", str(good), str(bad), "--json", str(tmp_path / "all.json")]) == 1
    assert "R-hat of mu is" in capsys.readouterr().out
    kept = json.loads((tmp_path / "all.json").read_text())
    assert [report["verdict"] for report in kept.values()] == ["pass", "fail"]
    assert launcher.main(["judge", str(good), "--only", "nu"]) == 2
    assert "there is no parameter 'nu'; known: mu, theta" in capsys.readouterr().err


R = """
library(posterior)
draws <- as_draws_array(as_draws_df(read.csv("draws.csv", check.names = FALSE)))
for (name in variables(draws)) {
  values <- extract_variable_matrix(draws, name)
  cat(name, sprintf("%.17g", c(rhat(values), ess_bulk(values), ess_tail(values))), sep = ";", fill = TRUE)
}
"""


def correlated():
    """Draws that depend on the ones before."""
    draws = posterior()
    for values in (draws["mu"].values, draws["theta"].values):
        for i in range(1, DRAWS):
            values[:, i] = 0.7 * values[:, i - 1] + values[:, i]
    return draws


@pytest.mark.parametrize(
    ("draws", "tolerance"),
    [(posterior(), 1e-6), (correlated(), 1e-6), (posterior(apart=0.3), 0.05)],
    ids=["independent", "correlated", "apart"],
)
def test_statistics_are_those_of_r(tmp_path, monkeypatch, draws, tolerance):
    """Of the same table of draws, by the package posterior. Where chains are apart, correlations
    last as long as the chains, and the two programs end their sum a few lags apart."""
    monkeypatch.chdir(tmp_path)
    draws_tables.write("draws.csv", draws_tables.table(draws))
    found = {}
    for line in programs.r(R, "posterior", "r-cran-posterior").splitlines():
        name, *values = line.strip().split(";")
        found[name] = [float(value) for value in values]
    ((_, tree),) = foreign_draws.read(["draws.csv"])
    rows = foreign_fits.judged(tree)["parameters"]
    assert len(rows) == len(found) == 4
    for row in rows:
        rhat, *sizes = found[row["parameter"]]
        assert row["rhat"] == pytest.approx(rhat, rel=1e-6)
        assert [row["ess_bulk"], row["ess_tail"]] == pytest.approx(sizes, rel=tolerance)


def _with_replicates(sd):
    """Draws of a normal mean with data sets replicated with a standard deviation of 1, and observed
    data that have another one."""
    rng = np.random.default_rng(11)
    tree = _with_densities(10.0)
    mu = tree["posterior"]["mu"].to_numpy()[..., None]
    observed = xr.Dataset({"y": ("row", rng.normal(3.0, sd, 20)), "unmatched": ("row", np.zeros(20))})
    replicated = xr.Dataset({"y": ((*SAMPLE, "row"), rng.normal(mu, 1.0, (*mu.shape[:2], 20)))})
    groups = {"observed_data": observed, "posterior_predictive": replicated}
    return xr.DataTree.from_dict({name: tree[name].to_dataset() for name in tree.children} | groups)


def test_predictive_checks_are_made_where_the_file_holds_both(tmp_path):
    _with_replicates(4.0).to_netcdf(tmp_path / "fit.nc")
    ((name, tree),) = foreign_draws.read([tmp_path / "fit.nc"])
    report = foreign_fits.judged(tree)
    extreme = {row["quantity"] for row in report["predictive"] if row["extreme"]}
    assert {"sd", "max", "min"} <= extreme
    said = "\n".join(judge.lines(name, report))
    assert "sd of y: the observed one is above what the model replicates" in said
    assert "whether simulated outcomes look like" not in said
    same = foreign_fits.judged(_with_replicates(1.0))
    assert not any(row["extreme"] for row in same["predictive"])
    assert "  4 test quantities, none of them extreme among replicated data\n" in "\n".join(judge.lines(name, same))
    assert foreign_fits.judged(_with_densities(10.0))["predictive"] is None


def test_the_page_has_the_verdict_its_reasons_and_what_is_not_known(tmp_path):
    good, bad, page = tmp_path / "good.nc", tmp_path / "<b>.csv", tmp_path / "judge.html"
    _with_replicates(4.0).to_netcdf(good)
    draws_tables.write(bad, draws_tables.table(posterior(apart=3.0)))
    assert judge.main([str(good), str(bad), "--html", str(page)]) == 1
    text = page.read_text()
    first, second = (part.partition("</section>")[0] for part in text.split('<section id="fit-')[1:])
    for words in (
        "No diagnostic of convergence",
        "does not reproduce the observed mean of y, sd of y",
        "Test quantities of",
        "! high",
        "elpd",
        "Priors",
    ):
        assert words in first
    assert "! high" not in second
    assert "does not reproduce" not in second
    assert "cannot be relied on" in second
    assert "of mu is" in second
    assert "How well the model predicts: the file has no log likelihood of each observation." in second
    assert "<b>.csv" not in text
    assert "&lt;b&gt;.csv" in text


def test_a_score_that_cannot_be_relied_on_is_said():
    tree = _with_densities(10.0)
    densities = tree["log_likelihood"]["y"].to_numpy().copy()
    densities[..., 0] = -np.random.default_rng(1).exponential(2.0, densities.shape[:2])  # ratios with k = 2
    tree["log_likelihood"] = xr.Dataset({"y": ((*SAMPLE, "row"), densities)})
    page = judgement.judgement_page({"fit": foreign_fits.judged(tree)})
    assert "The elpd of y cannot be relied on" in page
    assert "cannot be relied on" not in judgement.judgement_page({"fit": foreign_fits.judged(_with_densities(10.0))})
