"""The scheduling core: decides, never does.

Pure functions over cheap values: no clock, no chance, no I/O, no logging, no async. Every instant
is a whole number of microseconds on one axis, passed in as `now`; names end in `_at`, `_until` or
`_by` for instants and `_us` for durations. Production, the SimPy models and the forecaster all call
this, and nothing else decides.
"""
