"""Proof: each folder mirrors the one it tests. A package, since a dependency ships a `tests` too."""
