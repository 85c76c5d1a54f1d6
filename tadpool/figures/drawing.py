"""Draw and write all figures of a study."""

from importlib import import_module
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt

from tadpool import io
from tadpool.results import StudyResults


def draw_all(results: StudyResults, folder: Path) -> None:
    mpl.use("agg")
    listed = []
    folder.mkdir(parents=True, exist_ok=True)
    for name, figure in results.config["figures"].items():
        options = {k: v for k, v in figure.items() if k not in ("kind", "caption")}
        drawn = import_module(f"tadpool.figures.{figure['kind']}").draw(results, **options)
        with mpl.rc_context({"svg.hashsalt": name}), io.replacing(folder / f"{name}.svg") as path:
            drawn.figure.savefig(path, metadata={"Date": None})
        plt.close(drawn.figure)
        io.write_csv(folder / f"{name}.csv", drawn.numbers)
        listed.append({"name": name, "section": "story", "caption": figure["caption"], "alt": drawn.alt})
    io.write_json(folder / "figures.json", listed)
