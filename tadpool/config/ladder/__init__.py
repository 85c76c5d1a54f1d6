"""Models of the pooling ladder in a study: their designs, entries and figures."""
