"""The figures that belong to each study's story are declared in its file, and nothing else is."""

import pytest

from tadpool import ROOT, config
from tadpool.figures import drawing
from tadpool.files import plugins

# What each study is to show beyond the standard figures of entries, sweeps and comparisons, by the
# names in its file.
FIGURES = {
    "reedfrogs": {
        "survival_by_tank": "observed survival by tank, with blocks of density and the mean of the tanks",
        "survival_over_sigma": "posterior survival by tank at the smallest, the best and the largest sigma",
        "survival_multilevel": "posterior survival by tank, with the mean and the median tank",
        "survival_by_predators": "posterior survival by tank with and without the predator effect, coloured by predators",
        "priors": "priors of sigma, alpha_bar and alpha",
        "beta_predator": "posterior of the predator effect",
        "survival_compared": "p_survived with against without predators",
        "sigma_compared": "sigma with against without predators",
        "causal_graph": "causes of survival",
        "causal_graph_modelled": "causes of survival, those in the models marked",
    },
    "cookies": {
        "chips": "histogram of chips",
        "chips_by_location": "histograms by location",
        "chips_violins": "violins by location",
        "prior_rate": "prior rates",
        "prior_chips": "prior predictive chips",
        "prior_lam": "prior rates by location",
        "predictive_compared": "three posterior predictives on one axis",
        "by_location": "locations in order, by two models",
        "rates": "forest with the pooled rate beside lam",
        "shrinkage": "unpooled against hierarchical rates, with the diagonal and the pooled mean",
        "new_location": "chips at a new location",
    },
    "radon": {
        "lines": "data and lines of three counties, individual against hierarchical",
        "more_lines": "data and lines of three more counties",
        "counties": "median basement reading of each county, in order",
        "shrinkage": "intercepts and slopes of all counties, with arrows from individual to hierarchical",
    },
    "masking": {"recovery": "both models beside the truth"},
    "manufacturing": {
        "speed_by_group": "production speed by group",
        "predicted": "predictive draws against observed speed",
        "recovery": "estimates beside the truth, the weight that does not apply marked",
    },
    "mundlak": {
        "effects_three": "beta_XY and beta_ZY of three models over the truth",
        "effects_four": "beta_XY and beta_ZY of four models over the truth",
        "effects_five": "beta_XY and beta_ZY of five models over the truth",
        "effect": "the effect of X in every model",
        "group_sizes": "rows by group",
        "causes": "causal graph of the confound",
        "causes_mean": "causal graph with the group mean of X",
        "causes_submodel_X": "causal graph of the latent model's part for X",
        "causes_submodel_Y": "causal graph of the latent model's part for Y",
    },
    "trolley": {
        "mean_by_story": "mean response and interquartile range by story",
        "mean_by_participant": "mean response and interquartile range of the first participants",
        "count_by_story": "responses by story",
        "count_by_participant": "responses by participant",
    },
}
SIMULATED = ("masking", "manufacturing", "mundlak")


@pytest.fixture(scope="module")
def studies():
    """Every study as its figures see it."""
    read = config.read({"studies": list(FIGURES)}).studies
    return {name: study.model_dump(by_alias=True) for name, study in read.items()}


@pytest.mark.parametrize("study", FIGURES)
def test_study_declares_the_figures_of_its_story_and_no_others(studies, study):
    assert set(studies[study]["figures"]) == set(FIGURES[study])


@pytest.mark.parametrize("study", FIGURES)
def test_figures_of_study_have_known_kinds_options_and_a_section(studies, study):
    found = {figure.name: figure for figure in drawing.wanted_figures(studies[study])}
    for name in FIGURES[study]:
        assert found[name].kind in plugins.figures()
        assert found[name].caption
        assert found[name].title


def test_every_study_has_its_list():
    assert {path.stem for path in (ROOT / "config" / "studies").glob("*.yaml")} == set(FIGURES)


@pytest.mark.parametrize("study", SIMULATED)
def test_entries_of_simulated_studies_are_held_against_the_truth(studies, study):
    assert {f"{entry}-recovery" for entry in studies[study]["models"]} <= {
        figure.name for figure in drawing.wanted_figures(studies[study])
    }


@pytest.mark.parametrize("study", FIGURES)
def test_figures_name_entries_of_their_study(studies, study):
    for figure in studies[study]["figures"].values():
        panels = figure.get("panels", [])
        sources = [figure, *panels, *(curve for panel in panels for curve in panel.get("curves", []))]
        named = [source[key] for source in sources for key in ("entry", "start", "end") if key in source]
        assert {*named, *figure.get("entries", [])} <= set(studies[study]["models"])
