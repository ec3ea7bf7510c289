"""SimPy models whose every scheduling decision is a call of `waqcore.core`."""
