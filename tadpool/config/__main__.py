"""Write config/README.md and the JSON schemas of config/: `python -m tadpool.config`."""

from tadpool.config.generated_docs import write

write()
