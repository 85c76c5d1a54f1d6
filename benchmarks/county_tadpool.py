"""The separate fits of the counties as the workflow does them: the script of the fit job, up to
fit.nc on disk."""

import resource
import runpy
import time
from pathlib import Path
from types import SimpleNamespace

from benchmarks import common


def main() -> None:
    """Run the job and print what it took."""
    files = {name: {"required": True} for name in ("data", "spec", "output")}
    options = common.options(__doc__, **files)
    imported = time.monotonic()
    job = SimpleNamespace(
        input=SimpleNamespace(data=options.data),
        output=SimpleNamespace(fit=options.output),
        log=[f"{options.output}.log"],
        params=SimpleNamespace(
            spec=Path(options.spec).read_text(encoding="utf-8"), digest="", crashes=f"{options.output}.crashes.json"
        ),
        threads=options.threads,
    )
    script = str(Path(__file__).parent.parent / "scripts" / "fit.py")
    runpy.run_path(script, init_globals={"snakemake": job}, run_name="__main__")
    seconds = {"start": imported - options.started, "compile_and_sample": time.monotonic() - imported}
    # The job samples in a child process, so that is where the memory goes.
    common.line(seconds, ("jax", "numpyro"), memory_of=resource.RUSAGE_CHILDREN)


if __name__ == "__main__":
    main()
