"""The scale on which pages tell the effects of groups of models of the ladder: that of the outcome's mean, in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

LOGISTIC, LOGARITHMIC = ("bernoulli", "binomial"), ("poisson", "negative_binomial")
MEASURED = ("normal", "student")


@dataclass(frozen=True)
class Scale:
    """Of a design, whose outcome is a variable of the data."""

    design: Mapping[str, Any]
    outcome: xr.DataArray

    @property
    def linked(self) -> bool:
        """Whether it is another scale than that of the linear predictor."""
        return self.design["family"] in (*LOGISTIC, *LOGARITHMIC)

    def link(self, eta: Any) -> Any:
        """From the scale of the linear predictor to this one."""
        if self.design["family"] in LOGISTIC:
            return 1 / (1 + np.exp(-eta))
        return np.exp(eta) if self.design["family"] in LOGARITHMIC else eta

    @property
    def units(self) -> str:
        """Of measured outcomes and of means of counts; "" where there are none."""
        return "" if self.design["family"] in (*LOGISTIC, "ordered") else self.outcome.attrs.get("units", "")

    @property
    def measured_units(self) -> str:
        """Units of measured outcomes, which stand behind their numbers; those of counts do not."""
        return self.units if self.design["family"] in MEASURED else ""

    @property
    def words(self) -> str:
        """What an effect is on this scale, without units."""
        family = self.design["family"]
        outcome = self.outcome.attrs.get("long_name", str(self.outcome.name).replace("_", " "))
        per = f" per unit of {self.design['exposure']}" if self.design["exposure"] else ""
        of = {
            **dict.fromkeys(LOGISTIC, f"probability of {outcome}"),
            **dict.fromkeys(LOGARITHMIC, f"mean {outcome}{per}"),
        }
        words = of.get(family, "log-odds" if family == "ordered" else outcome)
        return f"{words}{' at the reference of the predictors' if self.design['predictors'] else ''}"

    def __str__(self) -> str:
        return f"{self.words}, {self.units}" if self.units else self.words
