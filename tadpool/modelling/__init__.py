"""A model file bound to data: designs, rules that a model keeps, densities at one draw."""
