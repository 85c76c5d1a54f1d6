"""Jobs that sample a part of the lanes of another job, where `chunks` splits it; that job gathers them."""


rule share_fit:
    """Sample some of the lanes of one fit, for the job that gathers them."""
    input:
        data="results/{study}/data.nc",
    output:
        share=temp("results/{study}/{model}/fit.share-{share}.npz"),
    log:
        "results/{study}/logs/{model}/fit.share-{share}.log",
    benchmark:
        "results/{study}/benchmarks/{model}/fit.share-{share}.tsv"
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
        of="fit",
        spec=spec("fit"),
        digest=digest("fit"),
    script:
        "../scripts/share.py"


use rule share_fit as share_sweep with:
    input:
        data="results/{study}/data.nc",
    output:
        share=temp("results/{study}/sweeps/{sweep}/fit.share-{share}.npz"),
    log:
        "results/{study}/logs/sweeps/{sweep}/sweep.share-{share}.log",
    benchmark:
        "results/{study}/benchmarks/sweeps/{sweep}/sweep.share-{share}.tsv"
    threads: threads("sweep")
    resources:
        mem_mb=memory("sweep"),
        runtime=minutes("sweep"),
        gpu=gpus("sweep"),
        attempt=attempt,
    params:
        of="sweep",
        spec=spec("sweep"),
        digest=digest("sweep"),


use rule share_fit as share_cross_validate with:
    input:
        data="results/{study}/data.nc",
        fit="results/{study}/{model}/fit.nc",
    output:
        share=temp("results/{study}/{model}/loo.share-{share}.npz"),
    log:
        "results/{study}/logs/{model}/cross_validate.share-{share}.log",
    benchmark:
        "results/{study}/benchmarks/{model}/cross_validate.share-{share}.tsv"
    threads: threads("cross_validate")
    resources:
        mem_mb=memory("cross_validate"),
        runtime=minutes("cross_validate"),
        gpu=gpus("cross_validate"),
        attempt=attempt,
    params:
        of="cross_validate",
        spec=spec("cross_validate"),
        digest=digest("cross_validate"),


use rule share_fit as share_cross_validate_sweep with:
    input:
        data="results/{study}/data.nc",
        fit="results/{study}/sweeps/{sweep}/fit.nc",
    output:
        share=temp("results/{study}/sweeps/{sweep}/loo.share-{share}.npz"),
    log:
        "results/{study}/logs/sweeps/{sweep}/cross_validate.share-{share}.log",
    benchmark:
        "results/{study}/benchmarks/sweeps/{sweep}/cross_validate.share-{share}.tsv"
    threads: threads("cross_validate")
    resources:
        mem_mb=memory("cross_validate"),
        runtime=minutes("cross_validate"),
        gpu=gpus("cross_validate"),
        attempt=attempt,
    params:
        of="cross_validate",
        spec=spec("cross_validate"),
        digest=digest("cross_validate"),


use rule share_fit as share_cross_validate_group with:
    input:
        data="results/{study}/data.nc",
        fit="results/{study}/{model}/fit.nc",
    output:
        share=temp("results/{study}/{model}/logo_{group}.share-{share}.npz"),
    log:
        "results/{study}/logs/{model}/cross_validate_{group}.share-{share}.log",
    benchmark:
        "results/{study}/benchmarks/{model}/cross_validate_{group}.share-{share}.tsv"
    threads: threads("cross_validate")
    resources:
        mem_mb=memory("cross_validate"),
        runtime=minutes("cross_validate"),
        gpu=gpus("cross_validate"),
        attempt=attempt,
    params:
        of="cross_validate",
        spec=spec("cross_validate"),
        digest=digest("cross_validate"),


use rule share_fit as share_recover with:
    input:
        [],
    output:
        share=temp("results/{study}/recovery/{recovery}/{model}.share-{share}.npz"),
    log:
        "results/{study}/logs/recovery/{recovery}/{model}.share-{share}.log",
    benchmark:
        "results/{study}/benchmarks/recovery/{recovery}/{model}.share-{share}.tsv"
    threads: threads("recover")
    resources:
        mem_mb=memory("recover"),
        runtime=minutes("recover"),
        gpu=gpus("recover"),
        attempt=attempt,
    params:
        of="recover",
        spec=spec("recover"),
        digest=digest("recover"),
