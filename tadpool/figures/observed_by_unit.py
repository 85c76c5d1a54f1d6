"""The observed outcome of each unit, as a share where there are trials."""

import matplotlib.pyplot as plt
import pandas as pd

from tadpool.figures import Drawn


def draw(results, *, outcome, trials=None):
    data = results.data
    share = data[outcome] / data[trials] if trials else data[outcome]
    figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
    axes.plot(share[share.dims[0]], share, "o")
    return Drawn(figure, pd.DataFrame({"unit": share[share.dims[0]], "value": share}), f"mean {float(share.mean()):.3f}")
