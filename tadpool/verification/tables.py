"""Where the tables of exact values are; free of pandas, because the Snakefile's process reads their
digests."""

from tadpool import PACKAGE

REFERENCE = PACKAGE / "verification" / "reference"
