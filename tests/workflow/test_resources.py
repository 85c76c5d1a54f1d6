"""What jobs ask for grows with data and draws, and is enough for what jobs were seen to use."""

import pytest

from tadpool.config import read
from tadpool.config.schema.table import Table
from tadpool.workflow.resources import DAY, demand

USED_MB = {  # the most that jobs of the default run used
    ("fit", "trolley", "model", "partial_pooling"): 881,
    ("sample_prior", "trolley", "model", "partial_pooling"): 678,
    ("cross_validate", "trolley", "model", "partial_pooling"): 916,
    ("sweep", "reedfrogs", "sweep", "sigma"): 578,
    ("fit", "radon", "model", "individual"): 617,
    ("draw_figures", "trolley", "", ""): 726,
}


@pytest.fixture(scope="module")
def config():
    return read({})


@pytest.mark.parametrize("job", USED_MB)
def test_memory_is_enough_for_what_was_used_and_not_four_times_as_much(config, job):
    rule, study, kind, name = job
    asked = demand(config, rule, {"study": study, **({kind: name} if kind else {})}).memory
    assert USED_MB[job] < asked < 4 * USED_MB[job]


def table(tmp_path, rows):
    path = tmp_path / f"{rows}.csv"
    path.write_text("y,g\n" + "1,a\n" * rows)
    columns = {"y": {"kind": "count"}, "g": {"kind": "group"}}
    return {"table": str(path), "columns": columns}


def changed(config, dataset, **settings):
    content = config.studies["reedfrogs"].model_copy(update={"dataset": Table.model_validate(dataset)})
    sampler = config.settings.sampler.model_copy(update=settings)
    return config.model_copy(
        update={
            "settings": config.settings.model_copy(update={"sampler": sampler}),
            "studies": {"reedfrogs": content},
        }
    )


def test_a_fit_asks_for_more_with_more_rows_draws_and_lanes(config, tmp_path):
    fit, calibrate = ({"study": "reedfrogs", kind: "multilevel"} for kind in ("model", "calibration"))
    few = changed(config, table(tmp_path, 100), chains=2)
    many = changed(config, table(tmp_path, 200_000), chains=2)
    longer = changed(config, table(tmp_path, 200_000), chains=2, draws=10_000)
    asked = [demand(each, "fit", fit) for each in (few, many, longer)]
    assert asked[0].memory < asked[1].memory <= asked[2].memory < 24_000
    assert asked[0].minutes < asked[1].minutes <= asked[2].minutes
    assert max(each.minutes for each in asked) <= DAY
    assert [each.threads for each in asked] == [2, 2, 2]
    assert demand(few, "calibrate", calibrate).threads > 2
    assert demand(few, "check", fit).threads == 1
    assert [demand(each, "fit", fit).gpus for each in (few, changed(config, table(tmp_path, 10), platform="gpu"))] == [
        0,
        1,
    ]


def test_a_table_that_is_not_there_is_left_to_its_own_job(config, tmp_path):
    absent = table(tmp_path, 10) | {"table": str(tmp_path / "absent.csv")}
    assert demand(changed(config, absent), "prepare_data", {"study": "reedfrogs"}).memory >= 1000
