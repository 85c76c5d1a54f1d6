"""Random numbers addressed by name: what a stream is for decides its key, never its position or the time.

So adding a model, a study or a sweep point changes no other result.
"""

import hashlib
import json

import numpy as np


def digest(seed: int, study: str, entry: str, role: str, point: object = None, attempt: int = 0) -> bytes:
    """blake2b, 64 bits, of the canonical JSON of the address."""
    address = json.dumps([seed, study, entry, role, point, attempt], separators=(",", ":"), sort_keys=True)
    return hashlib.blake2b(address.encode(), digest_size=8).digest()


def key(seed: int, study: str, entry: str, role: str, point: object = None, attempt: int = 0) -> np.ndarray:
    """The address as JAX key data: two uint32, for `jax.random.wrap_key_data`.

    `role` says what the numbers are for ("fit", "prior", ...); `point` is the sweep value, fold or simulation.
    """
    return np.frombuffer(digest(seed, study, entry, role, point, attempt), dtype=">u4").astype(np.uint32)


def generator(seed: int, study: str, entry: str, role: str, point: object = None) -> np.random.Generator:
    """A NumPy generator for the address."""
    return np.random.default_rng(int.from_bytes(digest(seed, study, entry, role, point)))
