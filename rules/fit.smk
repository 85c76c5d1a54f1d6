rule fit:
    """Sample the posterior of one entry, with everything derived from its draws."""
    input:
        data="results/{study}/data.nc",
        shares=shares("fit"),
    output:
        fit="results/{study}/{model}/fit.nc",
    log:
        "results/{study}/logs/{model}/fit.log",
    benchmark:
        "results/{study}/benchmarks/{model}/fit.tsv"
    priority: 20
    conda:
        "../environment.yml"
    threads: threads("fit")
    resources:
        mem_mb=memory("fit"),
        runtime=minutes("fit"),
        gpu=gpus("fit"),
        attempt=attempt,
    params:
        spec=spec("fit"),
        digest=digest("fit"),
        crashes=crashes("fit"),
    script:
        "../scripts/fit.py"


use rule fit as sweep with:
    input:
        data="results/{study}/data.nc",
        shares=shares("sweep"),
    output:
        fit="results/{study}/sweeps/{sweep}/fit.nc",
    log:
        "results/{study}/logs/sweeps/{sweep}/sweep.log",
    benchmark:
        "results/{study}/benchmarks/sweeps/{sweep}/sweep.tsv"
    threads: threads("sweep")
    resources:
        mem_mb=memory("sweep"),
        runtime=minutes("sweep"),
        gpu=gpus("sweep"),
        attempt=attempt,
    params:
        spec=spec("sweep"),
        digest=digest("sweep"),
        crashes=crashes("sweep"),


# The same jobs in studies with `storage: {keep: summaries}`.
use rule fit as temporary_fit with:
    output:
        fit=temp("results/{study}/{model}/fit.nc"),
    wildcard_constraints:
        study=SUMMARISED,


use rule sweep as temporary_sweep with:
    output:
        fit=temp("results/{study}/sweeps/{sweep}/fit.nc"),
    wildcard_constraints:
        study=SUMMARISED,


ruleorder: temporary_fit > fit
ruleorder: temporary_sweep > sweep
