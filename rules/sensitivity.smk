rule assess_sensitivity:
    """How far the priors and the data of one entry move its posterior."""
    input:
        data="results/{study}/data.nc",
        prior="results/{study}/{model}/prior.nc",
        fit="results/{study}/{model}/fit.nc",
    output:
        sensitivity="results/{study}/{model}/sensitivity.nc",
    log:
        "results/{study}/logs/{model}/assess_sensitivity.log",
    benchmark:
        "results/{study}/benchmarks/{model}/assess_sensitivity.tsv"
    conda:
        "../environment.yml"
    threads: 1
    resources:
        mem_mb=memory("assess_sensitivity"),
        runtime=minutes("assess_sensitivity"),
        attempt=attempt,
    params:
        spec=spec("assess_sensitivity"),
        digest=digest("assess_sensitivity"),
        crashes=crashes("assess_sensitivity"),
    script:
        "../scripts/assess_sensitivity.py"
