rule draw_figures:
    """Draw all figures of one study, each as SVG with the numbers it shows as CSV."""
    input:
        data="results/{study}/data.nc",
        priors=per_entry("prior.nc"),
        fits=per_entry("fit.nc"),
        checks=per_entry("check.json"),
        loos=per_entry("loo.nc"),
        sensitivities=lambda wildcards: specs.sensitivities(wildcards.study),
        sweep_fits=per_sweep("fit.nc"),
        sweep_loos=per_sweep("loo.nc"),
        sweep_checks=per_sweep("check.json"),
        comparisons=lambda wildcards: specs.comparisons(wildcards.study),
        group_scores=lambda wildcards: specs.group_scores(wildcards.study),
        predictions=lambda wildcards: specs.predictions(wildcards.study),
        answers=lambda wildcards: specs.drawn_answers(wildcards.study),
        calibrations=lambda wildcards: specs.calibrations(wildcards.study),
        recoveries=lambda wildcards: specs.recoveries(wildcards.study),
    output:
        figures=report(
            directory("results/{study}/figures"),
            patterns=["{figure}.svg"],
            caption="../report/captions/figure.rst",
            category="Figures",
            subcategory="{study}",
            labels={"figure": "{figure}"},
        ),
    log:
        "results/{study}/logs/draw_figures.log",
    benchmark:
        "results/{study}/benchmarks/draw_figures.tsv"
    conda:
        "../environment.yml"
    threads: 1
    resources:
        mem_mb=memory("draw_figures"),
        runtime=minutes("draw_figures"),
        attempt=attempt,
    params:
        spec=spec("draw_figures"),
        digest=digest("draw_figures"),
        crashes=crashes("draw_figures"),
    script:
        "../scripts/draw_figures.py"


rule render_report:
    """Write the page of one study."""
    input:
        data="results/{study}/data.nc",
        checks=per_entry("check.json"),
        priors=per_entry("prior.nc"),
        fits=per_entry("fit.nc"),
        sweep_fits=per_sweep("fit.nc"),
        sweep_checks=per_sweep("check.json"),
        loos=per_entry("loo.nc"),
        sensitivities=lambda wildcards: specs.sensitivities(wildcards.study),
        sweep_loos=per_sweep("loo.nc"),
        comparisons=lambda wildcards: specs.comparisons(wildcards.study),
        group_scores=lambda wildcards: specs.group_scores(wildcards.study),
        predictions=lambda wildcards: specs.predictions(wildcards.study),
        answers=lambda wildcards: specs.answers(wildcards.study),
        calibrations=lambda wildcards: specs.calibrations(wildcards.study),
        recoveries=lambda wildcards: specs.recoveries(wildcards.study),
        figures="results/{study}/figures",
    output:
        page=report(
            "results/{study}/index.html",
            caption="../report/captions/page.rst",
            category="Pages",
            labels={"page": "{study}"},
        ),
        run=report(
            "results/{study}/run.json",
            caption="../report/captions/run.rst",
            category="Records",
            labels={"study": "{study}"},
        ),
    log:
        "results/{study}/logs/render_report.log",
    benchmark:
        "results/{study}/benchmarks/render_report.tsv"
    conda:
        "../environment.yml"
    threads: 1
    resources:
        mem_mb=memory("render_report"),
        runtime=minutes("render_report"),
    params:
        spec=spec("render_report"),
        digest=digest("render_report"),
    script:
        "../scripts/render_report.py"


rule render_index:
    """Write the page that leads to all studies."""
    input:
        pages=[f"results/{study}/index.html" for study in STUDIES],
        runs=[f"results/{study}/run.json" for study in STUDIES],
        checks=[
            f"results/{study}/{entry}/check.json"
            for study, content in STUDIES.items()
            for entry in content.models
        ],
        comparisons=[path for study in STUDIES for path in specs.comparisons(study)],
        fits=specs.temporary_fits(),
    output:
        index=report(
            "results/index.html",
            caption="../report/captions/index.rst",
            category="Pages",
            labels={"page": "all studies"},
        ),
    log:
        "results/logs/render_index.log",
    benchmark:
        "results/benchmarks/render_index.tsv"
    localrule: True
    conda:
        "../environment.yml"
    threads: 1
    resources:
        mem_mb=memory("render_index"),
        runtime=minutes("render_index"),
    params:
        spec=spec("render_index"),
        digest=digest("render_index"),
    script:
        "../scripts/render_index.py"
