"""Which tests run when, by folder, file or test; a test may name further marks itself.

`make test-fast` leaves out all that have a mark, `make test` runs all that are not `slow`, `make
test-slow` those that are.
"""

MEANINGS = {
    "fit": "compiles, samples or draws for some seconds",
    "workflow": "runs Snakemake",
    "fault": "kills, damages or fills",
    "browser": "opens pages in Chromium",
    "slurm": "runs jobs on a SLURM of its own",
    "slow": "is left to `make test-slow`",
}
PLACES = {
    "fit": (
        "tests/calibration/",
        "tests/convergence/test_remedies.py::test_more_draws_are_the_bits",
        "tests/convergence/test_remedies.py::test_reparametrized_sites",
        "tests/convergence/test_remedies.py::test_a_reparametrized_fit",
        "tests/convergence/test_remedies.py::test_what_follows_from_a_reparametrized_fit",
        "tests/convergence/test_remedies.py::test_separate_fits",
        "tests/datasets/test_own_simulators.py::test_recovery_fits_data",
        "tests/datasets/test_simulators.py",
        "tests/engine/",
        "tests/evaluation/test_cross_validation.py",
        "tests/evaluation/test_prior_sensitivity.py",
        "tests/figures/test_figures.py::test_bytes_are_equal",
        "tests/files/test_plugins.py::test_a_model_keeps_the_contract",
        "tests/files/test_plugins.py::test_log_prior_and_log_likelihood",
        "tests/files/test_plugins.py::test_models_have_the_known_log_densities",
        "tests/fitting/",
        "tests/ladder/",
        "tests/modelling/test_observation_weights.py",
        "tests/verification/",
        "tests/workflow/test_child_process.py",
        "tests/workflow/test_scripts.py",
    ),
    "workflow": ("tests/runs/", "tests/faults/", "tests/slurm/"),
    "fault": ("tests/faults/",),
    "slurm": ("tests/slurm/",),
    "browser": ("tests/browser/",),
    "slow": (
        "tests/browser/test_controls.py",
        "tests/browser/test_docs_site.py",
        "tests/browser/test_explorers.py",
        "tests/calibration/test_recovery.py::test_true_parameters_rank_uniformly",
        "tests/datasets/test_simulators.py::test_a_right_model_recovers",
        "tests/datasets/test_simulators.py::test_masking_has_the_published_posterior",
        "tests/datasets/test_simulators.py::test_models_of_the_confound",
        "tests/datasets/test_simulators.py::test_the_unmasked_model",
        "tests/evaluation/test_cross_validation.py::test_a_unit_alone_has_the_same_fit",
        "tests/evaluation/test_cross_validation.py::test_the_points_of_a_sweep",
        "tests/faults/",
        "tests/runs/test_docs_commands.py::test_commands_of_a_page_run",
        "tests/runs/test_elsewhere.py::test_what_new_writes_runs",
        "tests/runs/test_elsewhere.py::test_own_data_models",
        "tests/runs/test_elsewhere.py::test_a_second_run_elsewhere",
        "tests/runs/test_elsewhere.py::test_a_workflow_that_imports_it",
        "tests/runs/test_failed_jobs.py",
        "tests/runs/test_new_study.py",
        "tests/runs/test_own_models.py",
        "tests/runs/test_remedied_runs.py",
        "tests/runs/test_runs.py::test_another_folder_and_one_core",
        "tests/runs/test_runs.py::test_another_workflow_imports_it",
        "tests/runs/test_runs.py::test_a_fit_that",
        "tests/runs/test_runs.py::test_a_bad_table",
        "tests/runs/test_shares.py",
        "tests/runs/test_summaries.py",
        "tests/slurm/",
    ),
}
# What takes longest starts first; two workers begin with runs that they do not have to wait for.
FIRST = ("tests/faults/test_kills.py", "tests/runs/", "tests/faults/", "tests/slurm/", "tests/browser/")
