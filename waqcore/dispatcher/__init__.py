"""The production driver of the core: real clock, real database, real HTTP."""
