"""One fit of the ladder's partial pooling as lanes, from sums over cells or, with --rows, from one
term for each row."""

from benchmarks import common, ess_tadpool

DESIGN = {
    "family": "normal", "outcome": "y", "unit": "row", "groups": ["school"], "predictors": [{"name": "x", "kind": "number"}],
    "slopes": [], "trials": None, "exposure": None, "offset": None, "standard_error": None,
}  # fmt: skip


def main() -> None:
    """Sample and print what it took."""
    options = common.fit_options(__doc__, rows={"action": "store_true", "help": "do not collapse the rows"})
    options.model = "partial"
    reference = {"name": options.model, "design": DESIGN}
    ess_tadpool.sample(options, reference, {"collapse": not options.rows, "parametrization": "centred"})


if __name__ == "__main__":
    main()
