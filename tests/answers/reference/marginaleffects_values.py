# /// script
# requires-python = ">=3.12"
# dependencies = ["marginaleffects==0.6.1", "polars<2", "statsmodels==0.15.0"]
# ///
"""Average predictions, comparisons and slopes of generalized linear models by marginaleffects.

`uv run tests/answers/reference/marginaleffects_values.py` writes marginaleffects.json beside it.
marginaleffects has an environment of its own: its wheel installs packages named `tests` and
`benchmarks`, which hide those of this project, and it needs an older polars.
"""

import json
from pathlib import Path

import marginaleffects
import numpy as np
import pandas as pd
import statsmodels.api as sm
import statsmodels.formula.api as smf

ROWS = 40


def table() -> pd.DataFrame:
    """A number, a yes or no, a category, and an outcome for each family."""
    rng = np.random.default_rng(5)
    x = np.round(rng.normal(2.0, 1.5, ROWS), 3)
    t, c = np.tile([0, 1, 1, 0], ROWS // 4), np.tile(["a", "b", "c", "d", "b"], ROWS // 5)
    eta = 0.3 * x + 0.5 * t
    return pd.DataFrame(
        {
            "x": x, "t": t, "c": c,
            "happened": (rng.random(ROWS) < 1 / (1 + np.exp(0.8 - eta))).astype(int),
            "number": rng.poisson(np.exp(eta)),
            "size": np.round(1 + eta + rng.normal(0, 0.7, ROWS), 3),
        }
    )  # fmt: skip


FAMILIES = {"bernoulli": sm.families.Binomial(), "poisson": sm.families.Poisson(), "normal": sm.families.Gaussian()}
MODELS = {"happened ~ x * t": "bernoulli", "number ~ x * t + c": "poisson", "size ~ x * t + c": "normal"}


def asked(model, formula: str) -> list[tuple[dict, pd.DataFrame]]:
    """Answers as a study asks them, each with what marginaleffects gives for it."""
    avg, whole = marginaleffects, {"vcov": False}
    found = [
        ({"predict": {}}, avg.avg_predictions(model, **whole)),
        ({"compare": {"t": [0, 1]}}, avg.avg_comparisons(model, variables={"t": [0, 1]}, **whole)),
        ({"compare": {"x": 1}}, _forward(model, 1.0)),
        ({"compare": {"x": "sd"}}, _forward(model, float(table()["x"].std()))),
        ({"compare": {"x": "slope"}}, avg.avg_slopes(model, variables="x", eps=1e-5, **whole)),
    ]
    ratio = avg.avg_comparisons(model, variables={"t": [0, 1]}, comparison="ratioavg", **whole)
    found.append(({"compare": {"t": [0, 1]}, "measure": "ratio"}, ratio))
    if formula.startswith("happened"):
        odds = avg.avg_comparisons(model, variables={"t": [0, 1]}, comparison="lnoravg", transform=np.exp, **whole)
        found.append(({"compare": {"t": [0, 1]}, "measure": "odds_ratio"}, odds))
    if "c" in formula.split("~")[1]:
        levels = avg.avg_comparisons(model, variables={"c": "reference"}, **whole)
        found.append(({"compare": {"c": "levels"}}, levels))
    return found


def _forward(model, step: float):
    """From each row's own value to one that is larger by `step`; marginaleffects' number of units
    is centred on the row."""
    given = table().astype({"c": "category"})
    pair = [
        marginaleffects.avg_predictions(model, newdata=each, vcov=False)
        for each in (given, given.assign(x=given["x"] + step))
    ]
    before, after = (each["estimate"].to_list()[0] for each in pair)
    return pd.DataFrame({"estimate": [after - before]})


def main() -> None:
    """Fit the models, ask for everything, write the file."""
    given, models = table().astype({"c": "category"}), []
    for formula, family in MODELS.items():
        fit = smf.glm(formula, given, family=FAMILIES[family]).fit()
        answers = [{"asked": keys, "values": list(values["estimate"])} for keys, values in asked(fit, formula)]
        models.append({"formula": formula, "family": family, "coefficients": dict(fit.params), "answers": answers})
    whole = {"table": table().to_dict("list"), "models": models}
    Path(__file__).with_name("marginaleffects.json").write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
