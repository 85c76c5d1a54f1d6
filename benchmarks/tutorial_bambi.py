"""One model with varying slopes, from a table to R-hat and effective sample sizes, with bambi."""

import argparse
import json
from importlib.metadata import version
from resource import RUSAGE_SELF, getrusage

import arviz as az
import bambi as bmb
import pandas as pd


def main() -> None:
    """Fit and summarise, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("started", "data", "threads"):
        parser.add_argument(f"--{name}", required=True)
    options = parser.parse_args()
    frame = pd.read_csv(options.data, dtype={"subject": str})
    model = bmb.Model("reaction ~ days + (days | subject)", frame)
    fitted = model.fit(
        draws=1000, chains=4, cores=int(options.threads), inference_method="nutpie", random_seed=1, progressbar=False
    )
    worst = az.summary(fitted, kind="diagnostics")["r_hat"].astype(float).max()
    names = ("bambi", "nutpie", "pymc")
    memory = getrusage(RUSAGE_SELF).ru_maxrss / 1024
    line = {"seconds": {}, "memory_mb": memory, "rhat": worst, "versions": {name: version(name) for name in names}}
    print(json.dumps(line))


if __name__ == "__main__":
    main()
