rule sample_prior:
    """Draw from one entry's prior and prior predictive distribution."""
    input:
        data="results/{study}/data.nc",
    output:
        prior="results/{study}/{model}/prior.nc",
    log:
        "results/{study}/logs/{model}/sample_prior.log",
    benchmark:
        "results/{study}/benchmarks/{model}/sample_prior.tsv"
    priority: first_for_own_models
    conda:
        "../environment.yml"
    threads: 1
    resources:
        mem_mb=memory("sample_prior"),
        runtime=minutes("sample_prior"),
        attempt=attempt,
    params:
        spec=spec("sample_prior"),
        digest=digest("sample_prior"),
        crashes=crashes("sample_prior"),
    script:
        "../scripts/sample_prior.py"
