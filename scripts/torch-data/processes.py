"""Processes that load samples."""

import multiprocessing
import pickle
from dataclasses import dataclass

import torch
from comparison import aerial, feeding, or_error, same, sizes, work
from training.batches import Feeding, step_batches
from training.data import open_dataset
from training.loading import EpochSamples, Loading
from training.phrases import open_tokenizer
from training.settings import SGD, Recipe


@dataclass(frozen=True)
class Plan:
    steps_per_epoch: int


def recipe_of():
    return Recipe(
        name="r",
        model="m",
        dims={},
        inputs=("image", "tokens", "mask"),
        terms={},
        batched=(),
        optimizer=SGD(1, 0, 0),
        accumulate=feeding["accumulate"],
        seed=feeding["seed"],
        augment=True,
    )


def compare_copies():
    """Where processes do not begin as copies, they get what they load by pickle."""
    data = open_dataset(work / "synth", "train")
    loading = Loading(data, sizes, open_tokenizer(aerial, "plain"), blank=False)
    samples = EpochSamples(loading, feeding["seed"], augment=True)
    own, copied = (one[1, range(4)].batch for one in (samples, pickle.loads(pickle.dumps(samples))))
    for name, tensor in own.items():
        same(f"copied: {name}", True, torch.equal(tensor, copied[name]))


def end_process():
    """A process that loads samples and dies is an error of one line."""
    recipe, how = recipe_of(), Feeding(open_tokenizer(aerial), workers=2)
    source = step_batches(
        open_dataset(work / "synth", "train"), 1, Plan(5), recipe, how, sizes=sizes
    )
    next(source)
    for process in multiprocessing.active_children():
        process.kill()
        process.join()
    found = or_error(lambda: [next(source) for _ in range(20)])
    same("process that died", True, isinstance(found, dict) and "--workers 0" in found["error"])
