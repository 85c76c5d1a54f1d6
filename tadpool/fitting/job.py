"""The files, threads and checkpoints of one job."""

from dataclasses import dataclass, field

from tadpool.engine.checkpoints import CheckpointStore


@dataclass(frozen=True)
class Job:
    """What a job reads, where it writes, and what it may use.

    output: path of its result. provenance: the attribute of that name of the result. threads: how many it may use. data, fit,
    prior: paths of the results that it reads, where it does. store: where it keeps what it has sampled.
    """

    output: str
    provenance: str
    threads: int
    data: str = ""
    fit: str = ""
    prior: str = ""
    store: CheckpointStore = field(default_factory=CheckpointStore)
