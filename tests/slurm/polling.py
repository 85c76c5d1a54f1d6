"""Snakemake as its command starts it, but asking SLURM for the states of jobs every second.

The executor waits ten seconds longer each time that no job has ended, whatever it is told, and a
test would wait with it.
"""

import sys

from snakemake.cli import main
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor

RemoteExecutor.next_seconds_between_status_checks = property(lambda self: 1, lambda self, seconds: None)

if __name__ == "__main__":
    main(sys.argv[1:])
