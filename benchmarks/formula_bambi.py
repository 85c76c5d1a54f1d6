"""One formula from its table to R-hat and effective sample sizes, with bambi and nutpie."""

import argparse
import json
from importlib.metadata import version
from pathlib import Path
from resource import RUSAGE_SELF, getrusage

import arviz as az
import bambi as bmb
import pandas as pd

from benchmarks.formula import CASES


def main() -> None:
    """Fit and summarise, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("started", "folder", "case", "threads"):
        parser.add_argument(f"--{name}", required=True)
    options = parser.parse_args()
    case = CASES[options.case]
    formula, family = case["bambi"]
    labels = {name: str for name, column in case["columns"].items() if column["kind"] in ("group", "categorical")}
    frame = pd.read_csv(Path(options.folder) / "data" / "table.csv", dtype=labels)
    outcome = formula.split("~")[0].strip()
    if family == "cumulative":
        frame[outcome] = pd.Categorical(frame[outcome], ordered=True)
    scale = frame[outcome].std() if family == "gaussian" else 1.0
    terms = [part.strip("() ") for part in formula.split("~")[1].split("(")[1:] if "|" in part]
    priors = {}
    for term in (each.replace(" ", "").replace(")", "").strip("+") for each in terms):
        left, group = term.split("|")
        for effect in {"1", left}:
            width = scale / (1.0 if effect == "1" else frame[effect].std())
            sigma = bmb.Prior("Exponential", lam=1 / width)
            priors[f"{effect}|{group}"] = bmb.Prior("Normal", mu=0, sigma=sigma)
    if family == "gaussian":
        priors["sigma"] = bmb.Prior("Exponential", lam=1 / scale)
    model = bmb.Model(formula, frame, family=family, priors=priors)
    fitted = model.fit(
        draws=1000, chains=4, cores=int(options.threads), inference_method="nutpie", random_seed=1, progressbar=False
    )
    summary = az.summary(fitted, kind="diagnostics").astype(float)
    ess = float(summary[["ess_bulk", "ess_tail"]].min().min())
    names = ("bambi", "nutpie", "pymc")
    memory = getrusage(RUSAGE_SELF).ru_maxrss / 1024
    versions = {name: version(name) for name in names}
    print(json.dumps({"seconds": {"ess": ess}, "memory_mb": memory, "versions": versions}))


if __name__ == "__main__":
    main()
