"""Random keys by name: the key of a stream depends on what it is for, never on its position or the
time.

So adding a model, a study or a sweep point changes no other result.
"""

import hashlib
import json

import numpy as np


def digest(seed: int, study: str, entry: str, role: str, point: object = None, attempt: int = 0) -> bytes:
    """A digest of an address: blake2b, 64 bits, of its canonical JSON.

    Args:
        seed: Seed of the run.
        study: Name of the study.
        entry: Name of the entry.
        role: What the numbers are for: "fit", "prior" and so on.
        point: Sweep value, fold or simulation.
        attempt: Number of the attempt, from 0.
    """
    address = json.dumps([seed, study, entry, role, point, attempt], separators=(",", ":"), sort_keys=True)
    return hashlib.blake2b(address.encode(), digest_size=8).digest()


def key(seed: int, study: str, entry: str, role: str, point: object = None, attempt: int = 0) -> np.ndarray:
    """The address (see `digest`) as JAX key data: two uint32, for `jax.random.wrap_key_data`."""
    return np.frombuffer(digest(seed, study, entry, role, point, attempt), dtype=">u4").astype(np.uint32)


def generator(seed: int, study: str, entry: str, role: str, point: object = None) -> np.random.Generator:
    """A NumPy generator for the address (see `digest`)."""
    return np.random.default_rng(int.from_bytes(digest(seed, study, entry, role, point)))
