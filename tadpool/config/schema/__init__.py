"""The keys of the config and of study files: types, ranges, defaults, units and meanings."""
