"""How well a fit predicts, fits its data and depends on its priors."""
