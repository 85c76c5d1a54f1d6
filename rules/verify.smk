rule verify_part:
    """Compare results with exact values, or plant errors and look whether the checks find them."""
    output:
        found="results/verify/{part}.json",
    log:
        "results/verify/logs/{part}.log",
    benchmark:
        "results/verify/benchmarks/{part}.tsv"
    conda:
        "../environment.yml"
    threads: FIT_THREADS
    resources:
        mem_mb=3000,
        runtime=60,
    params:
        spec=spec("verify_part"),
        digest=digest("verify_part"),
    script:
        "../scripts/verify_part.py"


rule render_verification:
    """Write the page of what verification found, and all values as a table."""
    input:
        found=[f"results/verify/{part}.json" for part in PARTS],
    output:
        page="results/verify.html",
        values="results/verify/values.csv",
    log:
        "results/verify/logs/render_verification.log",
    benchmark:
        "results/verify/benchmarks/render_verification.tsv"
    conda:
        "../environment.yml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        spec=spec("render_verification"),
        digest=digest("render_verification"),
    script:
        "../scripts/render_verification.py"


rule verify:
    """Fail if an exact value was missed or a planted error was not found."""
    input:
        found=[f"results/verify/{part}.json" for part in PARTS],
        page="results/verify.html",
    output:
        verdict="results/verify/verdict.json",
    log:
        "results/verify/logs/verify.log",
    benchmark:
        "results/verify/benchmarks/verify.tsv"
    retries: 0
    conda:
        "../environment.yml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        digest=digest("verify"),
    script:
        "../scripts/verify.py"
