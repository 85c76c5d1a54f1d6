rule calibrate:
    """Fit some of a calibration's simulated data sets and rank the true values among the draws."""
    input:
        data="results/{study}/data.nc",
    output:
        part=temp("results/{study}/calibration/{calibration}/{chunk}.nc"),
    log:
        "results/{study}/logs/calibration/{calibration}/{chunk}.log",
    benchmark:
        "results/{study}/benchmarks/calibration/{calibration}/{chunk}.tsv"
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


rule gather_calibration:
    """Put the simulations of one calibration together and test whether the ranks are uniform."""
    input:
        data="results/{study}/data.nc",
        parts=lambda wildcards: specs.calibration_parts(
            wildcards.study, wildcards.calibration
        ),
    output:
        calibration="results/{study}/calibration/{calibration}.nc",
    log:
        "results/{study}/logs/calibration/{calibration}.log",
    benchmark:
        "results/{study}/benchmarks/calibration/{calibration}.tsv"
    conda:
        "../environment.yml"
    threads: 1
    resources:
        mem_mb=memory("gather_calibration"),
        runtime=minutes("gather_calibration"),
    params:
        spec=spec("gather_calibration"),
        digest=digest("gather_calibration"),
        crashes=crashes("gather_calibration"),
    script:
        "../scripts/gather_calibration.py"


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
