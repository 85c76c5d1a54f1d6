rule check:
    """Judge whether one fit converged: pass, warn or fail, with reasons."""
    input:
        fit="results/{study}/{model}/fit.nc",
    output:
        check="results/{study}/{model}/check.json",
    log:
        "results/{study}/logs/{model}/check.log",
    benchmark:
        "results/{study}/benchmarks/{model}/check.tsv"
    priority: 40  # the first thing that a run has to say
    conda:
        "../environment.yml"
    threads: 1
    resources:
        mem_mb=memory("check"),
        runtime=minutes("check"),
        attempt=attempt,
    params:
        spec=spec("check"),
        digest=digest("check"),
        crashes=crashes("check"),
    script:
        "../scripts/check.py"


use rule check as check_sweep with:
    input:
        fit="results/{study}/sweeps/{sweep}/fit.nc",
    output:
        check="results/{study}/sweeps/{sweep}/check.json",
    log:
        "results/{study}/logs/sweeps/{sweep}/check.log",
    benchmark:
        "results/{study}/benchmarks/sweeps/{sweep}/check.tsv"


rule gate:
    """Fail if a fit is worse than its entry says it may be, or better than an expectation that is no longer true."""
    input:
        checks=[
            f"results/{study}/{entry}/check.json"
            for study, content in STUDIES.items()
            for entry in content.models
        ],
        results=specs.may_have_failed(),
        report="results/index.html",
    output:
        gate="results/gate.json",
    log:
        "results/logs/gate.log",
    benchmark:
        "results/benchmarks/gate.tsv"
    retries: 0
    localrule: True
    conda:
        "../environment.yml"
    threads: 1
    resources:
        mem_mb=memory("gate"),
        runtime=minutes("gate"),
    params:
        spec=spec("gate"),
        digest=digest("gate"),
    script:
        "../scripts/gate.py"
