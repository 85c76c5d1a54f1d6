rule prepare_data:
    """Load or simulate a study's dataset and check it."""
    input:
        # Beside the config, also where results are in a storage.
        lambda wildcards: [local(str(table)) for table in specs.tables(wildcards.study)],
    output:
        data="results/{study}/data.nc",
    log:
        "results/{study}/logs/prepare_data.log",
    benchmark:
        "results/{study}/benchmarks/prepare_data.tsv"
    priority: 30
    localrule: True
    conda:
        "../environment.yml"
    threads: 1
    resources:
        mem_mb=memory("prepare_data"),
        runtime=minutes("prepare_data"),
    params:
        spec=spec("prepare_data"),
        digest=digest("prepare_data"),
    script:
        "../scripts/prepare_data.py"
