r"""A formula: common terms, smooths, and effects of the members of groups, which have a common
distribution.

Priors are weakly informative and in units of the data: the mean and the standard deviation of a
measured outcome, the scale of the link of any other, the standard deviation of a predictor that is
a number.

Source: Bates et al. (2015), Journal of Statistical Software 67(1); Bürkner (2017), Journal of
Statistical Software 80(1).
"""

from functools import partial

from tadpool.formula import bind_formula

DESIGNED = True


def model(formula, *, parametrization="auto", collapse=True):
    """formula: a `tadpool.formula.evaluation.FormulaEvaluation`."""
    formula.observe()


bound = partial(bind_formula.bound, model)
