rule cross_validate:
    """Score one fit on units, or members of a group, that it has not seen."""
    input:
        data="results/{study}/data.nc",
        fit="results/{study}/{model}/fit.nc",
        shares=shares("cross_validate"),
    output:
        loo="results/{study}/{model}/loo.nc",
    log:
        "results/{study}/logs/{model}/cross_validate.log",
    benchmark:
        "results/{study}/benchmarks/{model}/cross_validate.tsv"
    priority: 10
    conda:
        "../environment.yml"
    threads: threads("cross_validate")
    resources:
        mem_mb=memory("cross_validate"),
        runtime=minutes("cross_validate"),
        gpu=gpus("cross_validate"),
        attempt=attempt,
    params:
        spec=spec("cross_validate"),
        digest=digest("cross_validate"),
        crashes=crashes("cross_validate"),
    script:
        "../scripts/cross_validate.py"


use rule cross_validate as cross_validate_sweep with:
    input:
        data="results/{study}/data.nc",
        fit="results/{study}/sweeps/{sweep}/fit.nc",
        shares=shares("cross_validate"),
    output:
        loo="results/{study}/sweeps/{sweep}/loo.nc",
    log:
        "results/{study}/logs/sweeps/{sweep}/cross_validate.log",
    benchmark:
        "results/{study}/benchmarks/sweeps/{sweep}/cross_validate.tsv"


use rule cross_validate as cross_validate_group with:
    input:
        data="results/{study}/data.nc",
        fit="results/{study}/{model}/fit.nc",
        shares=shares("cross_validate"),
    output:
        loo="results/{study}/{model}/logo_{group}.nc",
    log:
        "results/{study}/logs/{model}/cross_validate_{group}.log",
    benchmark:
        "results/{study}/benchmarks/{model}/cross_validate_{group}.tsv"


rule compare:
    """Rank the entries of one comparison by how well they predict."""
    input:
        loos=lambda wildcards: specs.scores(wildcards.study, wildcards.comparison),
        checks=lambda wildcards: specs.compared(
            wildcards.study, wildcards.comparison, "check.json"
        ),
    output:
        table=report(
            "results/{study}/comparisons/{comparison}.csv",
            caption="../report/captions/comparison.rst",
            category="Comparisons",
            labels={"study": "{study}", "comparison": "{comparison}"},
        ),
    log:
        "results/{study}/logs/comparisons/{comparison}.log",
    benchmark:
        "results/{study}/benchmarks/comparisons/{comparison}.tsv"
    localrule: True
    conda:
        "../environment.yml"
    threads: 1
    resources:
        mem_mb=memory("compare"),
        runtime=minutes("compare"),
        attempt=attempt,
    params:
        spec=spec("compare"),
        digest=digest("compare"),
        crashes=crashes("compare"),
    script:
        "../scripts/compare.py"
