"""Every mistake of a model of one's own is a sentence with its file, line or row, what is wrong,
and the fix."""

import numpy as np
import pytest
import xarray as xr

from tadpool.errors import UserError
from tadpool.files import plugins
from tadpool.modelling import binding, prior_checks

HEADER = "import jax\nimport jax.numpy as jnp\nimport numpy as np\nimport numpyro\nimport numpyro.distributions as dist\n\n\n"
MEAN = "    m = numpyro.sample('m', dist.Normal(0.0, 1.0))\n"
OUTCOME = "    numpyro.sample('y', dist.Normal(m, 1.0).expand([3]), obs=y)\n"


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A function that writes files of the working directory's models/."""
    (tmp_path / "models").mkdir()
    monkeypatch.chdir(tmp_path)

    def write(source, name="mine.py", header=HEADER):
        path = tmp_path / "models" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(header + source)

    return write


def data():
    variables = {
        "y": ("row", [0, 3, 1]),
        "x": ("row", [0.0, 1.0, 2.0]),
        "g_index": ("row", [0, 1, 0]),
        "z": (("row", "item"), np.arange(9).reshape(3, 3)),
        "w": ("row", [1, 0, 1]),
    }
    return xr.Dataset(variables, coords={"row": ["a", "b", "c"], "item": [1, 2, 3], "g": ["p", "q"]})


def model(body, arguments="x, y=None"):
    return f"def model({arguments}):\n{body}"


# Lines are counted with the header: `def model` is in line 8 where nothing stands before it.
MISTAKES = {
    "a missing argument": (
        model(MEAN + OUTCOME, "v, y=None"),
        "models/mine.py: the dataset has no variable or size 'v'; it has y, x, g_index, z, w, n_row, n_item, n_g",
    ),
    "labels as an argument": (
        model(MEAN + OUTCOME, "g, y=None"),
        "models/mine.py: g is text, but a model needs numbers; use g_index or n_g",
    ),
    "nothing": (model("    pass\n"), "models/mine.py: no site is observed; pass an outcome with obs=, as in obs=y"),
    "no observed site": (
        model(MEAN + "    numpyro.sample('a', dist.Normal(m, 1.0))\n"),
        "models/mine.py: no site is observed; pass an outcome with obs=, as in obs=y",
    ),
    "an outcome that is not observed": (
        model(MEAN + OUTCOME, "x, y=None, z=None"),
        "models/mine.py: the outcome z is not observed; pass obs=z to a site named 'z'",
    ),
    "an observed site of another name": (
        model(MEAN + "    numpyro.sample('speed', dist.Normal(m, 1.0), obs=y)\n"),
        "models/mine.py, line 10: the observed site 'speed' is not an argument with the default None (y); give it "
        "the name of its data",
    ),
    "an outcome that was changed": (
        model(MEAN + "    numpyro.sample('y', dist.Normal(m, 1.0), obs=None if y is None else jnp.log1p(y))\n"),
        "models/mine.py, line 10: the values of the observed site y differ from the data y; observe the data unchanged, and "
        "transform them in the dataset",
    ),
    "no parameter": (
        model("    numpyro.sample('y', dist.Poisson(3.0), obs=y)\n"),
        "models/mine.py: model() has no parameter to sample; add one with a prior",
    ),
    "a discrete parameter": (
        model(MEAN + "    k = numpyro.sample('k', dist.Bernoulli(0.5), infer={'enumerate': 'parallel'})\n"
              "    numpyro.sample('y', dist.Normal(m + k, 1.0), obs=y)\n"),
        "models/mine.py, line 10: k is a discrete parameter (BernoulliProbs), which NUTS cannot sample; sum it out "
        "of the likelihood, for example with dist.MixtureSameFamily, or make it an outcome",
    ),
    "two sites of one name": (
        model(MEAN + "    numpyro.deterministic('m', m + 1.0)\n" + OUTCOME),
        "models/mine.py, line 10: two sites are named 'm'; rename one of them",
    ),
    "a site named as a dim": (
        model(MEAN + "    numpyro.deterministic('row', m + 1.0)\n" + OUTCOME),
        "models/mine.py, line 10: the site 'row' has the name of a dim of the data; rename the site",
    ),
    "a site named as data": (
        model(MEAN + "    numpyro.sample('w', dist.Normal(0.0, 1.0))\n" + OUTCOME),
        "models/mine.py, line 10: the site 'w' has the name of a variable of the data; rename the site",
    ),
    "a site named as a dim of all results": (
        model(MEAN + "    numpyro.sample('draw', dist.Normal(0.0, 1.0))\n" + OUTCOME),
        "models/mine.py, line 10: the site 'draw' has the name of a dim of all results; rename the site",
    ),
    "a site named as a hyperparameter": (
        model(MEAN + "    s = numpyro.sample('s', dist.HalfNormal(s))\n" + OUTCOME, "y=None, *, s=1.0"),
        "models/mine.py, line 10: the site 's' has the name of a hyperparameter; rename the site",
    ),
    "a site in a scope": (
        model("    with numpyro.handlers.scope(prefix='a'):\n    " + MEAN + OUTCOME),
        "models/mine.py, line 10: 'a/m' cannot be the name of a site; use letters, digits and _",
    ),
    "if": (
        model(MEAN + "    if m > 0:\n        m = 0.0\n" + OUTCOME),
        "models/mine.py, line 10: Python's if, while, and, or, not, min or max is used on a traced value, which has no "
        "number before sampling; use jax.numpy.where, or decide by a hyperparameter whose default is true/false, a "
        "whole number or text",
    ),
    "if on a hyperparameter that may vary": (
        model(MEAN + "    if scale > 1:\n        m = 0.0\n" + OUTCOME, "y=None, *, scale=1.0"),
        "models/mine.py, line 10: Python's if,",
    ),
    "range": (
        model(MEAN + "    for i in range(x[0].astype(int)):\n        m = m + i\n" + OUTCOME),
        "models/mine.py, line 10: a traced value, which has no number before sampling, is used as a Python integer",
    ),
    "NumPy": (
        model(MEAN + "    m = np.exp(m)\n" + OUTCOME),
        "models/mine.py, line 10: a NumPy function is used on a traced value, which has no number before sampling; use the "
        "function of the same name in jax.numpy",
    ),
    "rows that a parameter chooses": (
        model(MEAN + "    m = x[x > m].sum()\n" + OUTCOME),
        "models/mine.py, line 10: rows are selected by a traced value, which has no number before sampling, so "
        "their number is not "
        "known; use jax.numpy.where",
    ),
    "a Python number": (
        model(MEAN + "    m = float(m)\n" + OUTCOME),
        "models/mine.py, line 10: a traced value, which has no number before sampling, is converted to a Python "
        "number; keep it",
    ),
    "numpy.random": (
        model(MEAN + "    m = m + np.random.normal()\n" + OUTCOME),
        "models/mine.py, line 10: two calls with equal arguments and parameters give different values; draw random numbers "
        "with numpyro.sample, and use no clock and no counter",
    ),
    "a generator of the file": (
        "rng = np.random.default_rng(0)\n\n\ndef noise():\n    return rng.normal()\n\n\n"
        + model(MEAN + "    m = m + noise()\n" + OUTCOME),
        "models/mine.py, line 17: two calls with equal arguments and parameters give different values",
    ),
    "random": (
        model("    import random\n" + MEAN + "    m = m + random.gauss(0.0, 1.0)\n" + OUTCOME),
        "models/mine.py, line 11: two calls with equal arguments and parameters give different values",
    ),
    "a key of its own": (
        model(MEAN + "    m = m + jax.random.normal(jax.random.key(0))\n" + OUTCOME),
        "models/mine.py, line 10: random numbers are drawn here that are not a site, so the density is not a function of "
        "the parameters; draw them with numpyro.sample",
    ),
    "a key from elsewhere": (
        model(MEAN + "    m = m + dist.Normal(0.0, 1.0).sample(jnp.array([0, 1], 'uint32'))\n" + OUTCOME),
        "models/mine.py, line 10: random numbers are drawn here that are not a site",
    ),
    "NumPyro's key": (
        model(MEAN + "    numpyro.prng_key()\n" + OUTCOME),
        "models/mine.py, line 10: numpyro.prng_key draws random numbers that are not a site; use numpyro.sample",
    ),
    "a counter": (
        "calls = []\n\n\n" + model(MEAN + "    calls.append(1)\n    m = m + len(calls)\n" + OUTCOME),
        "models/mine.py, line 14: two calls with equal arguments and parameters give different values",
    ),
    "sites that come and go": (
        "calls = []\n\n\n"
        + model(MEAN + "    calls.append(1)\n    numpyro.sample(f'a{len(calls)}', dist.Normal())\n" + OUTCOME),
        "models/mine.py, line 14: a1 is a site in some calls but not in others, as another call with equal "
        "arguments shows; make "
        "the sites the same in every call",
    ),
    "sites that depend on the outcome": (
        model(MEAN + "    if y is not None:\n        numpyro.sample('a', dist.Normal(0.0, 1.0))\n" + OUTCOME),
        "models/mine.py, line 11: a is a site in some calls but not in others, as a call without the outcomes "
        "shows; make the sites",
    ),
    "a distribution of another shape": (
        model(MEAN + "    numpyro.sample('y', dist.Normal(m + x[:, None], 1.0), obs=y)\n"),
        "models/mine.py, line 10: y has shape (3,), but its distribution has (3, 3); align their dims",
    ),
    "a parameter of another shape": (
        model("    with numpyro.plate('row', 3):\n        m = numpyro.sample('m', dist.Normal(x[:, None], 1.0))\n"
              "        numpyro.sample('y', dist.Normal(m.sum(0), 1.0), obs=y)\n"),
        "models/mine.py, line 10: m has the shape (3, 3), but only the plates row; align the shapes of its arguments, such as "
        "(3, 1) and (3,), or add a plate",
    ),
    "a transposed outcome": (
        model(MEAN + "    with numpyro.plate('item', 3, dim=-2), numpyro.plate('row', 3, dim=-1):\n"
              "        numpyro.sample('z', dist.Normal(m, 1.0), obs=z)\n", "z=None"),
        "models/mine.py, line 11: z has the dim item, but is in the plate row (3); use n_item",
    ),
    "a plate of another size": (
        model(MEAN + "    with numpyro.plate('g', 3):\n        numpyro.sample('a', dist.Normal(0.0, 1.0))\n" + OUTCOME),
        "models/mine.py, line 10: the plate g has size 3, but the dim has size 2; take its size as the argument n_g",
    ),
    "one density for all": (
        model(MEAN + "    numpyro.sample('y', dist.Normal(m + x, 1.0).to_event(1), obs=y)\n"),
        "models/mine.py, line 10: y has one joint density (Normal) for several values; remove .to_event(), or use",
    ),
    "a factor": (
        model(MEAN + "    numpyro.factor('extra', -(m**2))\n" + OUTCOME),
        "models/mine.py, line 10: the factor extra adds to the log density, but the log likelihood of the outcomes would not "
        "include it; make it part of the distribution of an outcome",
    ),
    "a weight": (
        model(MEAN + "    with numpyro.handlers.scale(scale=w):\n    " + OUTCOME, "w, y=None"),
        "models/mine.py, line 11: y has a scale or is in a subsampled plate, but the log likelihood of the outcomes would not "
        "include it; remove it and write `weights: {y: <variable>}` in the study",
    ),
    "a part of a plate": (
        model(MEAN + "    with numpyro.plate('row', 3, subsample_size=2) as i:\n"
              "        numpyro.sample('y', dist.Normal(m, 1.0), obs=None if y is None else y[i])\n"),
        "models/mine.py, line 10: the plate row takes 2 of 3 values (subsample_size); remove subsample_size, so that every "
        "value counts",
    ),
    "a weighed prior": (
        model("    with numpyro.handlers.scale(scale=0.5):\n    " + MEAN + OUTCOME),
        "models/mine.py, line 10: m has a scale, which multiplies its log prior; change the prior itself",
    ),
    "a mask": (
        model(MEAN + "    with numpyro.handlers.mask(mask=w == 1):\n    " + OUTCOME, "w, y=None"),
        "models/mine.py, line 11: y of row b is masked, so it does not count; write `observed_where: {y: <variable>}` in "
        "the study, or remove the mask",
    ),
    "a mask by a parameter": (
        model(MEAN + "    numpyro.sample('y', dist.Normal(m, 1.0).mask(x > m), obs=y)\n"),
        "models/mine.py, line 10: which values of y are masked depends on parameters; let the mask depend on data only",
    ),
    "values outside the support": (
        model(MEAN + "    numpyro.sample('y', dist.Bernoulli(logits=m), obs=y)\n"),
        "models/mine.py, line 10: y of row b is 3, outside the support of its BernoulliLogits; correct the table or choose "
        "another distribution",
    ),
    "values outside a support with data": (
        model("    p = numpyro.sample('p', dist.Beta(1.0, 1.0))\n    numpyro.sample('y', dist.Binomial(w + 1, p), obs=y)\n",
              "w, y=None"),
        "models/mine.py, line 10: y of row b is 3, outside the support of its BinomialProbs; correct",
    ),
    "an improper prior": (
        model("    m = numpyro.sample('m', dist.ImproperUniform(dist.constraints.real, (), ()))\n" + OUTCOME),
        "models/mine.py, line 9: the prior of m is improper; use a proper prior, such as "
        "dist.Normal(0, 10)",
    ),
    "numpyro.param": (
        model("    m = numpyro.param('m', 0.0)\n" + OUTCOME),
        "models/mine.py, line 9: numpyro.param is for optimizers and would stay at its initial value; use "
        "numpyro.sample with a prior",
    ),
    "an exception": (
        model(MEAN + "    m = m + unknown\n" + OUTCOME),
        "models/mine.py, line 10: calling the model failed: NameError: name 'unknown' is not defined; correct the file",
    ),
    "an exit": (
        model("    raise SystemExit(0)\n"),
        "models/mine.py, line 9: calling the model failed: SystemExit: 0; correct the file",
    ),
    "a group counted from 1": (
        model("    a = numpyro.sample('a', dist.Normal(0.0, 1.0).expand([2]))\n"
              "    numpyro.sample('y', dist.Normal(a[g_index + 1], 1.0), obs=y)\n", "g_index, y=None"),
        "models/mine.py, line 10: position 2 is taken of an array of 2, whose positions are 0 to 1; JAX takes another "
        "element, or none, without a word; count from 0, as <group>_index does, and make the array as long as n_<group>",
    ),
    "a group counted from -1": (
        model("    a = numpyro.sample('a', dist.Normal(0.0, 1.0).expand([2]))\n"
              "    numpyro.sample('y', dist.Normal(a[g_index - 1], 1.0), obs=y)\n", "g_index, y=None"),
        "models/mine.py, line 10: position -1 is taken of an array of 2, whose positions are 0 to 1;",
    ),
    "too short an array": (
        model("    a = numpyro.sample('a', dist.Normal(0.0, 1.0).expand([1]))\n"
              "    numpyro.sample('y', dist.Normal(a[g_index], 1.0), obs=y)\n", "g_index, y=None"),
        "models/mine.py, line 10: position 1 is taken of an array of 1, whose positions are 0 to 0;",
    ),
    "a second position": (
        model("    a = numpyro.sample('a', dist.Normal(0.0, 1.0).expand([2, 3]))\n"
              "    numpyro.sample('y', dist.Normal(a[g_index, w + 2], 1.0), obs=y)\n", "g_index, w, y=None"),
        "models/mine.py, line 10: position 3 is taken of an array of 3, whose positions are 0 to 2;",
    ),
    "jnp.take": (
        model("    a = numpyro.sample('a', dist.Normal(0.0, 1.0).expand([2]))\n"
              "    m = jnp.take(a, g_index + 1)\n    numpyro.sample('y', dist.Normal(m, 1.0), obs=y)\n", "g_index, y=None"),
        "models/mine.py, line 10: position 2 is taken of an array of 2",
    ),
    "a parameter that nothing depends on": (
        model(MEAN + "    numpyro.sample('b', dist.Normal(0.0, 1.0))\n    numpyro.sample('c', dist.Normal(m, 1.0))\n"
              "    numpyro.sample('d', dist.HalfNormal(1.0))\n" + OUTCOME),
        "models/mine.py, line 10: no outcome depends on b, so its posterior would be its prior; use it in the "
        "distribution of an outcome, or remove it. models/mine.py, line 12: no outcome depends on d",
    ),
    "a level that nothing depends on": (
        model(MEAN + "    s = numpyro.sample('s', dist.HalfNormal(1.0))\n"
              "    numpyro.sample('a', dist.Normal(0.0, s).expand([2]))\n" + OUTCOME),
        "models/mine.py, line 10: no outcome depends on s, so its posterior would be its prior; use it in the "
        "distribution of an outcome, or remove it. models/mine.py, line 11: no outcome depends on a",
    ),
    "a negative scale": (
        model("    m = numpyro.sample('m', dist.HalfNormal(-1.0))\n    b = numpyro.sample('b', dist.Gamma(-2.0, 1.0))\n"
              "    m = m + b\n" + OUTCOME),
        "models/mine.py, line 9: of m, the scale of its HalfNormal is -1, not positive; correct scale. "
        "models/mine.py, line 10: of b, the concentration of its Gamma is -2, not positive; correct concentration",
    ),
    "a scale of zero in the outcome": (
        model(MEAN + "    numpyro.sample('y', dist.Normal(m, x), obs=y)\n"),
        "models/mine.py, line 10: of y, the scale of its Normal is 0, not positive; correct scale",
    ),
    "a scale without an end": (
        model("    m = numpyro.sample('m', dist.Normal(0.0, jnp.inf))\n" + OUTCOME),
        "models/mine.py, line 9: of m, the scale of its Normal is inf, not a finite number; correct scale",
    ),
    "a parameter that is not a number": (
        model("    m = numpyro.sample('m', dist.Normal(jnp.log(-x[1]), 1.0))\n" + OUTCOME),
        "models/mine.py, line 9: of m, the loc of its Normal is not a number (NaN), not a finite number; correct loc",
    ),
    "a probability of 2 in a mixture": (
        model("    p = numpyro.sample('p', dist.Beta(1.0, 1.0))\n"
              "    parts = [dist.Normal(0.0, -1.0), dist.Normal(1.0, 1.0)]\n"
              "    mixed = dist.MixtureGeneral(dist.Categorical(jnp.array([p, 1 - p])), parts).expand([3])\n"
              "    numpyro.sample('y', mixed, obs=y)\n"),
        "models/mine.py, line 12: of y, the scale of its Normal is -1, not positive; correct scale",
    ),
    "obs= left out": (
        model(MEAN + "    numpyro.sample('y', dist.Normal(m, 1.0).expand([3]))\n"),
        "models/mine.py, line 10: the site y does not observe its data; pass obs=y",
    ),
    "two improper priors": (
        model("    m = numpyro.sample('m', dist.ImproperUniform(dist.constraints.real, (), ()))\n"
              "    s = numpyro.sample('s', dist.ImproperUniform(dist.constraints.positive, (), ()))\n"
              "    numpyro.sample('y', dist.Normal(m, s), obs=y)\n"),
        "models/mine.py, line 9: the prior of m is improper; use a proper prior, such as dist.Normal(0, 10). "
        "models/mine.py, line 10: the prior of s is improper; use a proper prior, such as dist.HalfNormal(10)",
    ),
    "an improper probability": (
        model("    p = numpyro.sample('p', dist.ImproperUniform(dist.constraints.unit_interval, (), ()))\n"
              "    numpyro.sample('w', dist.Bernoulli(p), obs=w)\n", "w=None"),
        "models/mine.py, line 9: the prior of p is improper; use a proper prior, such as dist.Beta(1, 1)",
    ),
    "a plate of the wrong size": (
        model(MEAN + "    with numpyro.plate('row', 4):\n        numpyro.sample('y', dist.Normal(m, 1.0), obs=y)\n"),
        "models/mine.py, line 10: the plate row has size 4, but the dim has size 3; take its size as the argument n_row",
    ),
    "a plate of the wrong size and another name": (
        model(MEAN + "    with numpyro.plate('rows', 4):\n        numpyro.sample('y', dist.Normal(m, 1.0), obs=y)\n"),
        "models/mine.py, line 11: y has shape (3,), but its distribution has (4,); the plate rows has size 4: take its "
        "size as the argument n_row",
    ),
    "a plate that does not hold a site": (
        model(MEAN + "    with numpyro.plate('rows', 4):\n        numpyro.sample('y', dist.Normal(m + x, 1.0), obs=y)\n"),
        "models/mine.py, line 11: y has the shape (3,), but the plate rows has size 4; take its size",
    ),
    "more than a plate": (
        model(MEAN + "    with numpyro.plate('row', 3, subsample_size=5):\n    " + OUTCOME),
        "models/mine.py, line 10: the plate row takes 5 of 3 values (subsample_size); remove subsample_size",
    ),
    "the mean of an outcome": (
        model(MEAN + "    m = m + jnp.mean(y)\n" + OUTCOME),
        "models/mine.py, line 10: this fails in a call without the outcomes, as predictions make it, where y is None; "
        "compute what it needs in the dataset, as a variable of its own",
    ),
    "the length of an outcome": (
        model(MEAN + "    with numpyro.plate('row', len(y)):\n        numpyro.sample('y', dist.Normal(m, 1.0), obs=y)\n"),
        "models/mine.py, line 10: this fails in a call without the outcomes",
    ),
    "an outcome without its plate": (
        model(MEAN + "    numpyro.sample('y', dist.Normal(m, 1.0), obs=y)\n"),
        "models/mine.py, line 10: without the data, as in predictions, y has shape () instead of (3,); put it into "
        'numpyro.plate("row", n_row)',
    ),
    "a distribution of too few": (
        model(MEAN + "    numpyro.sample('y', dist.Normal(m + jnp.ones(2), 1.0), obs=y)\n"),
        "models/mine.py, line 10: y has shape (3,), but its distribution has (2,); align their dims",
    ),
    "arrays that do not fit together": (
        model(MEAN + "    m = m + x + jnp.ones(2)\n" + OUTCOME),
        "models/mine.py, line 10: arrays of the shapes (3,) and (2,) do not fit together; index what belongs to groups by "
        "<group>_index, or align their dims",
    ),
    "a parameter that grows to the left": (
        model("    with numpyro.plate('g', 2):\n        a = numpyro.sample('a', dist.Normal(jnp.zeros((5, 2)), 1.0))\n"
              "    m = a.sum()\n" + OUTCOME),
        "models/mine.py, line 10: a has the shape (5, 2), but only the plates g; align the shapes",
    ),
    "a parameter with a dim of 1 to the left": (
        model("    with numpyro.plate('g', 2):\n        a = numpyro.sample('a', dist.Normal(jnp.zeros((1, 2)), 1.0))\n"
              "    m = a.sum()\n" + OUTCOME),
        "models/mine.py, line 10: a has the shape (1, 2), but only the plates g; align the shapes",
    ),
    "a fixed position beyond the end": (
        model("    with numpyro.plate('g', 2):\n        a = numpyro.sample('a', dist.Normal(0.0, 1.0))\n"
              "    m = sum(a[i] * (g_index == i) for i in range(1, 3))\n" + OUTCOME, "g_index, y=None"),
        "models/mine.py, line 11: position 2 is taken of an array of 2, whose positions are 0 to 1; JAX takes another "
        "element, or none, without a word; count from 0",
    ),
    "positions of a size that start at 1": (
        model("    with numpyro.plate('g', 2):\n        a = numpyro.sample('a', dist.Normal(0.0, 1.0))\n"
              "    m = a[jnp.arange(n_g) + 1][g_index]\n" + OUTCOME, "g_index, n_g, y=None"),
        "models/mine.py, line 11: position 2 is taken of an array of 2",
    ),
    "a level beyond the columns": (
        model("    with numpyro.plate('g', 2):\n        a = numpyro.sample('a', dist.Normal(0.0, 1.0))\n"
              "    m = jax.nn.one_hot(g_index + 1, n_g) @ a\n" + OUTCOME, "g_index, n_g, y=None"),
        "models/mine.py, line 11: position 2 is taken of an array of 2",
    ),
    "decimal positions": (
        model("    with numpyro.plate('g', 3):\n        a = numpyro.sample('a', dist.Normal(0.0, 1.0))\n"
              "    m = a[x]\n" + OUTCOME).replace("'g'", "'k'"),
        "models/mine.py, line 11: positions must be whole numbers, but these are decimal numbers; index by <group>_index, "
        "or describe the column as `integer`",
    ),
    "a prior that depends on the outcome": (
        model("    m = numpyro.sample('m', dist.Normal(0.0 if y is None else y.mean(), 1.0))\n" + OUTCOME),
        "models/mine.py, line 9: the prior of m depends on the outcome y, so a prediction of y is made without it; compute "
        "what it needs in the dataset, as a variable of its own",
    ),
    "an outcome that depends on itself": (
        model(MEAN + "    numpyro.sample('y', dist.Normal(m + (x if y is None else jnp.roll(y, 1)), 1.0), obs=y)\n"),
        "models/mine.py, line 10: the distribution of y depends on the outcome y",
    ),
    "a site in jax.vmap": (
        model(MEAN + "    e = jax.vmap(lambda each: numpyro.sample('e', dist.Normal(each, 1.0)))(x)\n"
              "    numpyro.sample('y', dist.Normal(m + e, 1.0), obs=y)\n"),
        "models/mine.py, line 10: the site e is inside a function that JAX transforms (jax.vmap, jax.lax.scan, jax.jit), "
        "which NumPyro cannot see into; use numpyro.plate, or numpyro.contrib.control_flow.scan",
    ),
    "a site in jax.lax.scan": (
        model(MEAN + "    def step(last, each):\n        return last, numpyro.sample('e', dist.Normal(last, 1.0))\n\n"
              "    _, e = jax.lax.scan(step, 0.0, x)\n    numpyro.sample('y', dist.Normal(m + e, 1.0), obs=y)\n"),
        "models/mine.py, line 11: the site e is inside a function that JAX transforms",
    ),
    "a plate of another dim": (
        model(MEAN + "    with numpyro.plate('row', 3, dim=-2):\n        numpyro.sample('y', dist.Normal(m, x), obs=y)\n"),
        "models/mine.py, line 11: y has shape (3,), but its distribution has (3, 3); align their dims",
    ),
    "the ends of a uniform distribution swapped": (
        model("    m = numpyro.sample('m', dist.Uniform(5.0, 1.0))\n" + OUTCOME),
        "models/mine.py, line 9: of m, the high of its Uniform is 1, not above 5; correct high",
    ),
    "the ends of a truncation swapped": (
        model("    m = numpyro.sample('m', dist.TruncatedNormal(0.0, 1.0, low=3.0, high=1.0))\n" + OUTCOME),
        "models/mine.py, line 9: of m, the high of its TwoSidedTruncatedDistribution is 1, not above 3; correct high",
    ),
    "a support that depends on parameters": (
        model("    top = numpyro.sample('top', dist.Uniform(0.0, 10.0))\n"
              "    numpyro.sample('y', dist.Uniform(0.0, top).expand([3]), obs=y)\n"),
        "models/mine.py, line 10: the support of the Uniform of y depends on parameters, but without validate_args=True "
        "NumPyro gives values outside of it a density all the same; write it in the distribution",
    ),
    "a sum in a plate": (
        model("    with numpyro.plate('g', 2):\n        m = numpyro.sample('a', dist.Normal(0.0, 1.0)).sum()\n"
              "        numpyro.deterministic('total', m)\n" + OUTCOME),
        "models/mine.py, line 11: total has the shape (), but is in the plate g; move it out of the plate, or give it a "
        "value for each g",
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_a_sentence(own, mistake):
    source, sentence = MISTAKES[mistake]
    own(source)
    with pytest.raises(UserError) as caught:
        binding.bind("mine", data(), observed_where={})
    assert str(caught.value).startswith(sentence)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("import nowhere\n", "models/mine.py, line 1: the file cannot be imported: ModuleNotFoundError: No module named "
         "'nowhere'; install what it imports, or correct the file"),
        ("A = 1\nB = A / 0\n", "models/mine.py, line 2: the file cannot be imported: ZeroDivisionError: division by zero;"),
        ("raise SystemExit\n", "models/mine.py, line 1: the file cannot be imported: SystemExit; correct the file"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_imported_is_named_with_its_line(own, source, sentence):
    own(source + "def model(y=None): pass\n", header="")
    with pytest.raises(UserError) as caught:
        binding.bind("mine", data())
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("*columns, y=None", "mine.py, line 1: model() takes *columns; name each variable that it needs as an argument"),
        ("y=None, **columns", "mine.py, line 1: model() takes **columns; name each variable"),
        ("x, /, y=None", "mine.py, line 1: model() takes x by position alone; remove the / from its arguments"),
        ("x=2.0, y=None", "mine.py, line 1: the argument x has the default 2.0; outcomes have the default None, "
         "data have none, and "
         "hyperparameters come after a *"),
        ("x, y=0", "mine.py, line 1: the argument y has the default 0;"),
        ("x, y=[]", "mine.py, line 1: the argument y has the default [];"),
        ("x", "mine.py, line 1: no argument has the default None, so nothing is observed; write y=None for an outcome y"),
        ("x, y=None, *, s", "mine.py: hyperparameter s needs a number, true/false or text as its default"),
    ],
)  # fmt: skip
def test_arguments_that_a_model_cannot_have(own, arguments, sentence):
    own(f"def model({arguments}): pass\n", header="")
    with pytest.raises(UserError) as caught:
        plugins.signature(plugins.find("models", "mine"))
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize(
    ("source", "observed_where"),
    [
        (model("    top = numpyro.sample('top', dist.Uniform(0.0, 10.0))\n"
               "    numpyro.sample('y', dist.Uniform(0.0, top, validate_args=True).expand([3]), obs=y)\n"), {}),
        (model(MEAN + "    with numpyro.handlers.mask(mask=w == 1):\n    " + OUTCOME, "w, y=None"), {"y": "w"}),
        (model(MEAN + "    b = numpyro.sample('b', dist.Normal(0.0, 1.0).expand([2]))\n"
               "    m = m + b.sum()\n" + OUTCOME), {}),
        (model(MEAN + "    with numpyro.handlers.scale(scale=1.0):\n    " + OUTCOME), {}),
        ("from functools import wraps\n\ndef plain(f):\n    @wraps(f)\n    def g(**k):\n        return f(**k)\n    return g\n\n"
         "@plain\n" + model(MEAN + OUTCOME), {}),
    ],
    ids=["a support that depends on parameters", "a declared mask", "a vector without a plate", "no weight", "decorated"],
)  # fmt: skip
def test_what_is_right_is_let_through(own, source, observed_where):
    own(source)
    assert binding.bind("mine", data(), observed_where=observed_where).outcomes == ("y",)


HELPED = model("    m = numpyro.sample('m', dist.Normal(effect(), 1.0))\n" + OUTCOME)


@pytest.mark.parametrize(
    "imported",
    [
        "from helpers import effect",
        "from .helpers import effect",
        "from models.helpers import effect",
        "from lib.a import effect",
    ],
)
def test_a_model_imports_files_beside_it(own, imported):
    """The helper of this folder is taken, not one of the same name that an earlier model imported
    elsewhere."""
    own("def effect():\n    return 2.0\n", "helpers.py")
    own("from .b import effect\n", "lib/a.py")
    own("def effect():\n    return 2.0\n", "lib/b.py")
    own(HELPED, header=f"{HEADER}{imported}\n")
    assert binding.bind("mine", data()).latents == ("m",)
    assert plugins.load("models", "mine").effect() == 2.0
    assert str(plugins.find("models", "mine").parent) in plugins.load("models", "mine").effect.__code__.co_filename


def test_a_helper_that_hides_behind_another_module_is_refused(own):
    own("def effect():\n    return 2.0\n", "statistics.py")
    own(HELPED, header=f"{HEADER}from statistics import effect\n")
    with pytest.raises(UserError) as caught:
        binding.bind("mine", data())
    assert str(caught.value) == (
        "models/mine.py: models/statistics.py has the name of another module, statistics, which is "
        "imported instead; rename it"
    )


def test_random_numbers_of_a_helper_are_found(own):
    own("def effect():\n    return jnp.array(np.random.normal()) + 1.0\n", "helpers.py")
    own(HELPED, header=f"{HEADER}import helpers\nfrom helpers import effect\n")
    with pytest.raises(UserError, match=r"models/helpers.py, line 9: two calls with equal arguments"):
        binding.bind("mine", data())


@pytest.mark.parametrize(
    ("helper", "sentence"),
    [
        ("def effect():\n    return 1 / 0\n", "models/helpers.py, line 9: calling the model failed: ZeroDivisionError"),
        ("def effect():\n    return unknown\n", "models/helpers.py, line 9: calling the model failed: NameError"),
        ("def effect():\n    return numpyro.sample('b', dist.Normal(0.0, -1.0))\n",
         "models/helpers.py, line 9: of b, the scale of its Normal is -1, not positive"),
        ("A = 1 / 0\n", "models/helpers.py, line 8: the file cannot be imported: ZeroDivisionError: division by zero"),
        ("import nowhere\n", "models/helpers.py, line 8: the file cannot be imported: ModuleNotFoundError"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_helper_is_told_with_the_line_of_the_helper(own, helper, sentence):
    own(helper, "helpers.py")
    own(HELPED, header=f"{HEADER}from helpers import effect\n")
    with pytest.raises(UserError) as caught:
        binding.bind("mine", data())
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize(
    "body",
    [
        "    a = numpyro.sample('a', dist.Normal(0.0, 1.0).expand([2]))\n    m = a[-1] + a[g_index]\n",
        "    m = numpyro.sample('m', dist.Normal(0.0, 1.0))\n    numpyro.sample('new', dist.Normal(m, 1.0))\n",
        "    m = numpyro.sample('m', dist.TruncatedNormal(0.0, 1.0, low=0.0))\n",
        "    t = numpyro.sample('t', dist.HalfNormal(1.0))\n    m = numpyro.sample('m', dist.Normal(0.0, t))\n",
        "    with numpyro.plate('g', 2, dim=-2):\n        b = numpyro.sample('b', dist.Normal(jnp.zeros(5), 1.0))\n"
        "    m = b.sum()\n",
        "    a = numpyro.sample('a', dist.Normal(0.0, 1.0).expand([1]))\n    m = jax.nn.one_hot(g_index - 1, 1) @ a\n",
        "    a = [numpyro.sample(f'a_{i}', dist.Normal(0.0, 1.0)) for i in range(2)]\n    m = jnp.stack(a)[g_index]\n",
        "    from numpyro.contrib.control_flow import scan\n\n    def step(last, _):\n"
        "        new = numpyro.sample('e', dist.Normal(last, 1.0))\n        return new, new\n\n"
        "    _, m = scan(step, 0.0, jnp.arange(3))\n",
        "    m = numpyro.sample('m', dist.Normal(0.0, 1.0))\n"
        "    numpyro.deterministic('left', (0.0 if y is None else y) - m)\n",
    ],
    ids=[
        "the last element",
        "a prediction",
        "an end of a truncation",
        "a level",
        "values within a plate",
        "a reference level",
        "a loop over groups",
        "NumPyro's scan",
        "an outcome's own residual",
    ],
)
def test_what_only_looks_like_a_mistake_is_let_through(own, body):
    own(model(body + "    with numpyro.plate('row', 3):\n        numpyro.sample('y', dist.Normal(m, 1.0), obs=y)\n",
              "g_index, y=None"))  # fmt: skip
    assert binding.bind("mine", data(), observed_where={}).outcomes == ("y",)


IN_PLATE = "    with numpyro.plate('row', 3):\n        numpyro.sample('y', {}, obs=y)\n"
AT_DRAWS = {
    "a scale that may be negative": (
        "    s = numpyro.sample('s', dist.Normal(0.0, 1.0))\n" + IN_PLATE.format("dist.Normal(0.0, s)"),
        r"models/mine.py, line 11: of y, the scale of its Normal is not positive at \d\d % of the draws from the prior, but "
        r"for example -\d.*; choose priors, or a function such as jnp.exp, under which it always is",
    ),
    "a probability above 1": (
        "    p = numpyro.sample('p', dist.HalfNormal(1.0))\n" + IN_PLATE.format("dist.Binomial(5, p)"),
        r"models/mine.py, line 11: of y, the probs of its BinomialProbs is not between 0 and 1 at \d\d %",
    ),
    "the logarithm of a negative number": (
        MEAN + IN_PLATE.format("dist.Normal(jnp.log(m), 1.0)"),
        r"models/mine.py, line 11: of y, the loc of its Normal is not a finite number at \d\d % .* not a number \(NaN\);",
    ),
    "a rate that may be negative": (
        MEAN + IN_PLATE.format("dist.Poisson(m)"),
        r"models/mine.py, line 11: of y, the rate of its Poisson is not 0 or more at \d\d % .*, but for example -",
    ),
    "cutpoints in no order": (
        "    c = numpyro.sample('c', dist.Normal(0.0, 1.0).expand([4]))\n"
        + IN_PLATE.format("dist.OrderedLogistic(0.0, c)"),
        r"models/mine.py, line 11: of y, the cutpoints of its OrderedLogistic is not in increasing order at \d\d % of the "
        r"draws from the prior; choose priors, or jnp.cumsum of positive steps, under which it always is",
    ),
    "a gradient that is no number": (
        MEAN + IN_PLATE.format("dist.Normal(jnp.where(x > 0, m * jnp.log(x), m), 1.0)"),
        r"models/mine.py, line 9: the gradient of the log density in m is not a number \(NaN\) at 100 % of the draws from "
        r"the prior; both branches of jnp.where need finite values",
    ),
    "no gradient": (
        MEAN
        + "    m = jax.lax.while_loop(lambda v: v < 9.0, lambda v: v + jnp.exp(m), 0.0)\n"
        + IN_PLATE.format("dist.Normal(m, 1.0)"),
        r"models/mine.py, line 10: a loop whose end is not fixed has no gradient; use jax.lax.scan",
    ),
    "a scale of another parameter": (
        MEAN + "    a = numpyro.sample('a', dist.Normal(0.0, m))\n" + IN_PLATE.format("dist.Normal(a, 1.0)"),
        r"models/mine.py, line 10: of a, the scale of its Normal is not positive at \d\d %",
    ),
}


@pytest.mark.parametrize("mistake", AT_DRAWS)
def test_a_density_that_is_no_number_on_a_part_of_the_prior_is_a_sentence(own, mistake):
    """Chance of a false alarm: none, the key is fixed and the shares are near one half."""
    body, sentence = AT_DRAWS[mistake]
    own(model(body, "x, y=None"))
    with pytest.raises(UserError, match=sentence):
        prior_checks.check(binding.bind("mine", data(), observed_where={}), np.zeros(2, np.uint32))


@pytest.mark.parametrize(
    "rate", ["dist.Poisson(jnp.exp(m))", "dist.Poisson(jnp.exp(1e4 * m))"], ids=["right", "overflows"]
)
def test_a_density_that_is_a_number_or_overflows_gets_no_word(own, rate):
    own(model(MEAN + IN_PLATE.format(rate), "y=None"))
    prior_checks.check(binding.bind("mine", data(), observed_where={}), np.zeros(2, np.uint32))
