rule predict:
    """Predict a new member of a group from one entry's posterior."""
    input:
        data="results/{study}/data.nc",
        fit="results/{study}/{model}/fit.nc",
    output:
        predictions="results/{study}/{model}/predictions.nc",
    log:
        "results/{study}/logs/{model}/predict.log",
    benchmark:
        "results/{study}/benchmarks/{model}/predict.tsv"
    conda:
        "../environment.yml"
    threads: 1
    resources:
        mem_mb=memory("predict"),
        runtime=minutes("predict"),
        attempt=attempt,
    params:
        spec=spec("predict"),
        digest=digest("predict"),
        crashes=crashes("predict"),
    script:
        "../scripts/predict.py"
