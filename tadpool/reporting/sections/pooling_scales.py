"""The scale on which pages show effects of groups in models of the ladder: the scale of the
outcome's mean, in words."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from tadpool.modelling.design import Design


def _same(eta: Any) -> Any:
    return eta


# Name of a link -> from the scale of the linear predictor to that on which effects are told.
INVERSES: dict[str, Callable[[Any], Any]] = {
    "identity": _same,
    "logit": lambda eta: 1 / (1 + np.exp(-eta)),
    "log": np.exp,
    "tan_half": lambda eta: 2 * np.arctan(eta),
    "ordered": _same,
    "ordered_probit": _same,
}


@dataclass(frozen=True)
class Scale:
    """The scale of a design.

    Args:
        design: The design.
        outcome: Its outcome, a variable of the data.
    """

    design: Design
    outcome: xr.DataArray

    @property
    def linked(self) -> bool:
        """Whether it differs from the scale of the linear predictor."""
        return INVERSES[self.design.family.link.name] is not _same

    @property
    def exponential(self) -> bool:
        """Whether it is an exponential of that scale, on which an expectation need not exist."""
        return self.design.family.link.name == "log"

    def link(self, eta: Any) -> Any:
        """From the scale of the linear predictor to this one."""
        return INVERSES[self.design.family.link.name](eta)

    @property
    def units(self) -> str:
        """Of measured outcomes and of means of counts; "" where there are none."""
        return self.outcome.attrs.get("units", "") if self.design.family.link.units else ""

    @property
    def measured_units(self) -> str:
        """Units of measured outcomes, which stand behind their numbers; those of counts do not."""
        return "" if self.design.family.counted else self.units

    @property
    def words(self) -> str:
        """What an effect is on this scale, without units."""
        outcome = self.outcome.attrs.get("long_name", str(self.outcome.name).replace("_", " "))
        per = f" per unit of {self.design.exposure}" if self.design.exposure else ""
        words = self.design.family.link.effect.format(outcome=outcome, per=per)
        return f"{words}{' at the reference of the predictors' if self.design.predictors else ''}"

    def __str__(self) -> str:
        return f"{self.words}, {self.units}" if self.units else self.words
