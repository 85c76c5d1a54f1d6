rule calibrate:
    """Fit a calibration's simulated data sets and test whether the true values rank uniformly among the draws."""
    input:
        data="results/{study}/data.nc",
        shares=shares("calibrate"),
    output:
        calibration="results/{study}/calibration/{calibration}.nc",
    log:
        "results/{study}/logs/calibration/{calibration}.log",
    benchmark:
        "results/{study}/benchmarks/calibration/{calibration}.tsv"
    priority: 10
    conda:
        "../environment.yml"
    threads: threads("calibrate")
    resources:
        mem_mb=memory("calibrate"),
        runtime=minutes("calibrate"),
        gpu=gpus("calibrate"),
        attempt=attempt,
    params:
        spec=spec("calibrate"),
        digest=digest("calibrate"),
        crashes=crashes("calibrate"),
    script:
        "../scripts/calibrate.py"


rule recover:
    """Fit one entry to data simulated over a grid of the simulator's arguments."""
    input:
        shares=shares("recover"),
    output:
        recovery="results/{study}/recovery/{recovery}/{model}.nc",
    log:
        "results/{study}/logs/recovery/{recovery}/{model}.log",
    benchmark:
        "results/{study}/benchmarks/recovery/{recovery}/{model}.tsv"
    priority: 10
    conda:
        "../environment.yml"
    threads: threads("recover")
    resources:
        mem_mb=memory("recover"),
        runtime=minutes("recover"),
        gpu=gpus("recover"),
        attempt=attempt,
    params:
        spec=spec("recover"),
        digest=digest("recover"),
        crashes=crashes("recover"),
    script:
        "../scripts/recover.py"
