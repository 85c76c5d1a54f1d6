"""Jobs that sample a part of the lanes of another job, where `chunks` splits it; that job gathers them."""


rule share:
    """Sample some of the lanes of a fit, a sweep, a score, a calibration or a recovery, for the job that gathers them."""
    input:
        unpack(lambda wildcards: specs.shared_inputs(wildcards.study, wildcards.result)),
    output:
        share=temp("results/{study}/{result}.share-{share}.npz"),
    log:
        "results/{study}/logs/{result}.share-{share}.log",
    benchmark:
        "results/{study}/benchmarks/{result}.share-{share}.tsv"
    priority: 20
    conda:
        "../environment.yml"
    threads: threads("share")
    resources:
        mem_mb=memory("share"),
        runtime=minutes("share"),
        gpu=gpus("share"),
        attempt=attempt,
    params:
        of=lambda wildcards: specs.script(whole("share", wildcards)[0]),
        spec=spec("share"),
        digest=digest("share"),
    script:
        "../scripts/share.py"
