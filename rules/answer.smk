rule answer:
    """Answer the questions of one study: predictions, comparisons, ranks, probabilities and decisions."""
    input:
        data="results/{study}/data.nc",
        fits=per_entry("fit.nc"),
        checks=per_entry("check.json"),
        priors=per_entry("prior.nc"),
    output:
        answers="results/{study}/answers.nc",
        table=report(
            "results/{study}/answers.csv",
            caption="../report/captions/answers.rst",
            category="Answers",
            labels={"study": "{study}"},
        ),
    log:
        "results/{study}/logs/answer.log",
    benchmark:
        "results/{study}/benchmarks/answer.tsv"
    conda:
        "../environment.yml"
    threads: 1
    resources:
        mem_mb=memory("answer"),
        runtime=minutes("answer"),
        attempt=attempt,
    params:
        spec=spec("answer"),
        digest=digest("answer"),
        crashes=crashes("answer"),
    script:
        "../scripts/answer.py"
