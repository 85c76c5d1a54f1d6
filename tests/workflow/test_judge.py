"""`tadpool judge`: draws of other programs are read as they are and judged as tadpool's own."""

import json

import arviz_stats
import numpy as np
import pytest
import xarray as xr

from tadpool import __main__ as launcher
from tadpool.convergence import verdicts
from tadpool.errors import UserError
from tadpool.files import draws_tables, foreign_draws
from tadpool.workflow import judge
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
    report = judge.judged(tree)
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
    report = judge.judged(tree)
    assert report["verdict"] == "pass"
    assert [row["parameter"] for row in report["parameters"]] == ["mu", "theta[a]", "theta[b]", "theta[c]"]
    assert report["unknown"][0] == "divergences, tree depth, E-BFMI: the file has no such statistics of the sampler"
    assert {"diverging", "bfmi_min", "acceptance_rate"}.isdisjoint(report["diagnostics"])


def test_statistics_are_those_of_arviz():
    tree = xr.DataTree.from_dict({"posterior": posterior(apart=0.1)})
    rows = {row["parameter"]: row for row in judge.judged(tree)["parameters"]}
    for name, function in {"rhat": arviz_stats.rhat, "ess_bulk": arviz_stats.ess}.items():
        own = function(tree["posterior"].to_dataset())
        assert rows["mu"][name] == pytest.approx(float(own["mu"]), rel=1e-10)
        assert rows["theta[b]"][name] == pytest.approx(float(own["theta"].sel(town="b")), rel=1e-10)


@pytest.mark.parametrize("kind", ["ok", "stuck"])
def test_a_fit_of_tadpool_is_judged_as_by_itself(kind):
    tree, _ = fit(np.random.default_rng(1), kind)
    own = verdicts.check(tree)
    report = judge.judged(tree)
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
    report = judge.judged(tree)
    assert report["verdict"] == "fail"
    assert [each["code"] for each in report["reasons"]] == ["diverging"]
    assert report["diagnostics"]["n_steps_mean"] == 1
    assert "tree depth: the file has no such" in report["unknown"][0]


def test_divergences_and_tree_depth_of_cmdstan_are_judged(tmp_path):
    ((_, tree),) = foreign_draws.read(written_stan(tmp_path, posterior(), divergent=3, depth=10))
    assert {each["code"] for each in judge.judged(tree)["reasons"]} == {"diverging", "tree_depth"}


def test_elements_that_never_change_are_not_stuck_but_parameters_are():
    matrix = np.random.default_rng(5).normal(size=(CHAINS, DRAWS, 2))
    matrix[..., 0] = 1.0
    draws = posterior().assign(L=((*SAMPLE, "cell"), matrix))
    assert judge.judged(xr.DataTree.from_dict({"posterior": draws}))["verdict"] == "pass"
    still = draws.assign(nu=(SAMPLE, np.ones((CHAINS, DRAWS))))
    report = judge.judged(xr.DataTree.from_dict({"posterior": still}))
    assert [(each["code"], each["site"]) for each in report["reasons"]] == [("constant", "nu")]
    assert judge.judged(xr.DataTree.from_dict({"posterior": still}), ["mu"])["verdict"] == "pass"


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
    wide, narrow = judge.judged(_with_densities(10.0)), judge.judged(_with_densities(0.5))
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
