"""Proof: each folder mirrors what it tests. A package, since a dependency ships a `tests` too."""
