"""The hash by which what comes again is told from what only has the same key or id."""

from hashlib import blake2b


def content_hash(content: tuple[object, ...]) -> str:
    """A hash of 128 bits, in hexadecimal, of values whose `repr` tells them apart."""
    return blake2b(repr(content).encode(), digest_size=16).hexdigest()
