"""Simulation-based calibration, and recovery of known values over grids."""
