"""Moral judgments of 331 participants about 30 trolley cases (Cushman, Young & Hauser 2006,
Psychological Science 17)."""

import numpy as np
import xarray as xr

from tadpool.loading.columns import index, integers

TABLES = ("trolley_responses.csv", "trolley_cases.csv", "trolley_participants.csv")
FEATURES = ("action", "intention", "contact")


def load(tables):
    """Dims: row (9930), participant (331), story (12), response_level (7).

    response is the permissibility given, counted from 0 (1 on the questionnaire) to 6; action,
    intention and contact say what the case involves.
    """
    responses, cases = tables["trolley_responses.csv"], tables["trolley_cases.csv"]
    responses = responses.merge(cases, on="case", how="left", validate="many_to_one")
    responses.attrs["name"] = tables["trolley_responses.csv"].attrs["name"]
    participant_index, participants = index(responses, "participant")
    story_index, stories = index(responses, "story")
    response = integers(responses, "response", at_least=1, at_most=7) - 1
    people = tables["trolley_participants.csv"].set_index("participant").loc[participants]
    variables = {name: ("row", integers(responses, name, at_least=0, at_most=1), _levels(name)) for name in FEATURES}
    return xr.Dataset(
        {
            "response": ("row", response, {"long_name": "response", "units": "steps above the lowest"}),
            **variables,
            "participant_index": ("row", participant_index, {"long_name": "participant"}),
            "story_index": ("row", story_index, {"long_name": "story"}),
            "age": ("participant", people["age"].to_numpy(), {"long_name": "age", "units": "years"}),
        },
        coords={
            "row": np.arange(1, len(responses) + 1),
            "participant": ("participant", participants, {"long_name": "participant"}),
            "story": ("story", stories, {"long_name": "story"}),
        },
    )


def _levels(name):
    return {"long_name": name, "flag_values": [0, 1], "flag_meanings": "absent present"}
