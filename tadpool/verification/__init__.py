"""Checks of the statistical machinery itself: cases whose right answer is known, and errors that
must be found."""
