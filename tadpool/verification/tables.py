"""Where the tables of exact values are; free of pandas, because the Snakefile's process reads their
digests."""

from tadpool import ROOT

REFERENCE = ROOT / "tadpool" / "verification" / "reference"
