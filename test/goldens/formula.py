"""Numbers that test/training/formula.ts repeats to the last bit."""

import math

import numpy as np
import torch


def words_of(name, count):
    """`count` 32-bit words: FNV-1a of the name, then a counter through murmur3's finaliser."""
    seed = 2166136261
    for byte in name.encode():
        seed = (seed ^ byte) * 16777619 & 0xFFFFFFFF
    x = (np.uint64(seed) + np.arange(count, dtype=np.uint64) * np.uint64(0x9E3779B1)) & np.uint64(0xFFFFFFFF)
    for shift, factor in [(16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)]:
        x = (x ^ (x >> np.uint64(shift))) * np.uint64(factor) & np.uint64(0xFFFFFFFF)
    return x


def uniform(name, shape):
    """Float32 numbers in [0, 1): the words' upper 24 bits."""
    return torch.from_numpy((words_of(name, math.prod(shape)) >> np.uint64(8)).astype(np.float64) / 2**24).reshape(shape)
