"""The whole Bayesian workflow for grouped data: from a table to a report. `snakemake --list-rules` says what each rule does."""

from snakemake.utils import min_version

from tadpool import ROOT

min_version("9.27")

# Not "rules/...": another workflow can fetch this file alone, from a forge, and run the rules of the installed package.


include: f"{ROOT}/rules/common.smk"
include: f"{ROOT}/rules/data.smk"
include: f"{ROOT}/rules/prior.smk"
include: f"{ROOT}/rules/fit.smk"
include: f"{ROOT}/rules/share.smk"
include: f"{ROOT}/rules/check.smk"
include: f"{ROOT}/rules/sensitivity.smk"
include: f"{ROOT}/rules/compare.smk"
include: f"{ROOT}/rules/predict.smk"
include: f"{ROOT}/rules/answer.smk"
include: f"{ROOT}/rules/calibrate.smk"
include: f"{ROOT}/rules/report.smk"
include: f"{ROOT}/rules/verify.smk"


rule all:
    """Everything: the report of every study, and the gate that fails if a fit is worse than its entry says it may be."""
    default_target: True
    input:
        specs.everything(),
        "results/index.html",
        "results/gate.json",
    localrule: True


# Not where these rules are a module of another workflow, which has targets of its own.
if workflow.is_main_process and Path(workflow.main_snakefile).parent == ROOT:
    if problems := targets.impossible(sys.argv, workflow, specs):
        sys.exit("\n".join(problems))


onstart:
    begin()


onsuccess:
    if storage := workflow.storage_settings.default_storage_prefix:
        print(f"The results are in {storage.rstrip('/')}/results.")
    elif Path("results/index.html").is_file():
        print(f"Report: results/index.html. `{VERIFY}` writes results/verify.html.")
    from tadpool.workflow import closing

    for words in closing.words(STUDIES):
        print(words)


onerror:
    unmade.write_index(workflow, specs)
