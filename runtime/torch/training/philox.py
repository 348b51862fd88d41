"""Random numbers: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
SC 2011)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def philox(
    words: int, key: tuple[int, int], stream: tuple[int, int], first_block: int = 0
) -> NDArray[np.uint32]:
    """The words of blocks first_block, first_block + 1, … (four words each). The lower two
    words of the counter are the number of the block, and the upper two the stream."""
    blocks = -(-words // 4)
    low = np.uint64(0xFFFFFFFF)
    half = np.uint64(32)
    at = np.arange(first_block, first_block + blocks, dtype=np.uint64)
    c0, c1 = at & low, at >> half
    c2 = np.full(blocks, stream[0], np.uint64)
    c3 = np.full(blocks, stream[1], np.uint64)
    k0, k1 = key
    for _ in range(10):
        p = c0 * np.uint64(0xD2511F53)
        q = c2 * np.uint64(0xCD9E8D57)
        c0, c1 = (q >> half) ^ c1 ^ np.uint64(k0), q & low
        c2, c3 = (p >> half) ^ c3 ^ np.uint64(k1), p & low
        k0 = (k0 + 0x9E3779B9) & 0xFFFFFFFF
        k1 = (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return np.stack([c0, c1, c2, c3], axis=1).astype(np.uint32).reshape(-1)[:words]
