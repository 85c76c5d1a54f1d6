"""The config file and the study files.

`models` holds every key with its default, unit and meaning; `read` turns the files into a `Config`
or raises `ConfigErrors`, one sentence per mistake. `python -m tadpool.config` writes the JSON
schemas and config/README.md.
"""

from tadpool.config.reading import ConfigErrors, read
from tadpool.config.schema.run import Sampler, Settings
from tadpool.config.schema.study import Config, Entry, Study
from tadpool.config.schema.sweep import Spaced, Sweep

__all__ = ["Config", "ConfigErrors", "Entry", "Sampler", "Settings", "Spaced", "Study", "Sweep", "read"]
