"""Write config/README.md and the JSON schemas of config/: `python -m tadpool.config`."""

from tadpool.config.documents import write

write()
