"""Checks of the training programs that crobc writes for PyTorch.

python test-torch-train.py FOLDER...: each folder has program/ (the package) and the results of
crobc's own training of it (scripts/train-reference.ts): reference.json, before.safetensors and
state.safetensors.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

loss_limit = 1e-3
"""Of the first step, and of the last one from the same state."""
run_limit = 5e-3
"""Of the losses of a run: differences grow from step to step."""
weight_limit = 2e-2
step_limit = 1e-2
"""Of the state behind one step from the same state."""
moments = {"moment", "variance"}


def load(folder):
    """The package of a folder; of several, each gets its own modules."""
    sys.path.insert(0, str(folder))
    for name in [one for one in sys.modules if one.split(".")[0] == "program"]:
        del sys.modules[name]
    modules = {
        name: importlib.import_module(f"program.{name}")
        for name in ("recipe", "training.step", "training.draws", "training.distributed")
    }
    sys.path.remove(str(folder))
    return modules


def batch_of(draws, recipe, step, micro):
    """The batch that train-reference.ts makes of the same draws."""
    dims = recipe.dims
    samples, height, width, words = dims["B"], dims["H"], dims["W"], dims.get("T", 0)

    def numbers(name, *shape):
        return draws.draw(int(np.prod(shape)), f"test {name}", 7, step, micro).reshape(shape)

    batch = {}
    if "image" in recipe.inputs:
        image = 2 * numbers("image", samples, 3, height, width).astype(np.float64) - 1
        batch["image"] = torch.from_numpy(image.astype(np.float32))
    if "tokens" in recipe.inputs:
        ids = np.floor(numbers("tokens", samples, words).astype(np.float64) * 2466)
        batch["tokens"] = torch.from_numpy(ids.astype(np.int64))
    if "mask" in recipe.inputs:
        lengths = 3 + np.floor(numbers("mask", samples).astype(np.float64) * (words - 3))
        batch["mask"] = torch.from_numpy(np.arange(words)[None] < lengths[:, None])
    target = np.zeros((samples, 1, height, width), np.float32)
    for at, corners in enumerate(numbers("target", samples, 2).astype(np.float64)):
        top, left = int(corners[0] * (2 * height / 3)), int(corners[1] * (2 * width / 3))
        target[at, 0, top : top + height // 3, left : left + width // 3] = 1
    batch["target"] = torch.from_numpy(target)
    return batch


def rows_of(batch, processes):
    share = len(batch["image"]) // processes.world
    start = processes.rank * share
    return {name: value[start : start + share] for name, value in batch.items()}


def trained(modules, processes, steps, **options):
    """A trainer behind some steps, with the results of each."""
    program, recipe = modules["recipe"].PROGRAM, modules["recipe"].RECIPE
    trainer = modules["training.step"].Trainer(
        program, processes=processes, steps=steps, crob_draws=True, **options
    )
    trainer.load_weights()
    results = []
    for step in range(1, steps + 1):
        batches = [
            rows_of(batch_of(modules["training.draws"], recipe, step, micro), processes)
            for micro in range(recipe.accumulate)
        ]
        results.append(trainer.step(batches, step))
    return trainer, results


def relative(a, b):
    return abs(a - b) / max(abs(b), 1e-12)


def check(condition, message):
    if not condition:
        raise ValueError(message)


def distance(kind, found, expected):
    """The norm of the difference of all tensors of a kind, as a part of their norm."""
    names = [name for name in expected if name.startswith(f"{kind}:")]
    off = sum(float((found[name] - expected[name]).square().sum()) for name in names)
    return (off / sum(float(expected[name].square().sum()) for name in names)) ** 0.5


def kinds_of(state):
    return {name.split(":")[0] for name in state}


def from_state(modules, state, step):
    """A trainer behind one step from a state of crobc, and the loss of this step."""
    alone = modules["training.distributed"].Processes(0, 1, torch.device("cpu"))
    program, recipe = modules["recipe"].PROGRAM, modules["recipe"].RECIPE
    trainer = modules["training.step"].Trainer(
        program, processes=alone, steps=step, crob_draws=True
    )
    trainer.load_weights()
    trainer.load_state(state, step - 1)
    draws = modules["training.draws"]
    batches = [batch_of(draws, recipe, step, micro) for micro in range(recipe.accumulate)]
    return trainer, trainer.step(batches, step).loss


def compare_rates(modules, weights, trainer):
    """Whether each weight has the same factor, weight decay and freedom as in crobc."""
    recipe = modules["recipe"].RECIPE
    facts = trainer._facts.weights
    learning = set(trainer._weights.learning)
    for one in weights:
        path = one["path"]
        check(one["learned"] == (path in learning), f"{path} is trained by only one of both")
        factor, decay = recipe.rates(path, facts[path].decays)
        check(relative(factor, one["lrFactor"]) < 1e-12, f"{path} has another rate")
        check(relative(decay, one["weightDecay"]) < 1e-12, f"{path} has another decay")


def compare(folder, modules):
    """Steps with crob's draws against crobc's: losses, terms, norms, rates, state, logits."""
    reference = json.loads((folder / "reference.json").read_text())
    alone = modules["training.distributed"].Processes(0, 1, torch.device("cpu"))
    steps = len(reference["steps"])
    trainer, results = trained(modules, alone, steps)
    compare_rates(modules, reference["weights"], trainer)
    worst = 0.0
    for found, expected in zip(results, reference["steps"], strict=True):
        off = [
            relative(found.loss, expected["loss"]),
            relative(found.learning_rate, expected["learningRate"]),
            *(relative(found.terms[name], term) for name, term in expected["terms"].items()),
        ]
        worst = max(worst, *off)
    check(worst <= run_limit, f"losses differ by {worst:.1e}")
    first = relative(results[0].loss, reference["steps"][0]["loss"])
    check(first <= loss_limit, f"the first losses differ by {first:.1e}")
    norm = relative(results[0].gradient_norm, reference["steps"][0]["gradientNorm"])
    check(norm <= loss_limit, f"norms of gradients differ by {norm:.1e}")
    expected = load_file(folder / "state.safetensors")
    logits = expected.pop("logits")
    state = trainer.state()
    check(set(state) == set(expected), f"other state: {sorted(set(state) ^ set(expected))[:4]}")
    # All tensors of a kind together: AdamW moves a weight whose gradient is zero but for
    # rounding as far as any other, in either direction. These differences grow in gradients from
    # step to step (ReLU, norms of a few pixels), so that moments are compared behind one step.
    far = {kind: distance(kind, state, expected) for kind in kinds_of(expected) - moments}
    check(max(far.values()) <= weight_limit, f"the state differs: {far}")
    last, loss = from_state(modules, load_file(folder / "before.safetensors"), steps)
    one = relative(loss, reference["steps"][-1]["loss"])
    check(one <= loss_limit, f"losses of one step from the same state differ by {one:.1e}")
    state = last.state()
    far = {kind: distance(kind, state, expected) for kind in kinds_of(expected)}
    furthest = max(far.values())
    check(furthest <= step_limit, f"the state behind one step differs: {far}")
    batch = batch_of(modules["training.draws"], modules["recipe"].RECIPE, 1, 0)
    found = last.predict(batch)
    off = float((found - logits).norm() / logits.norm())
    check(off <= weight_limit, f"logits differ by {off:.1e}")
    print(
        f"losses {worst:.1e}, first norm {norm:.1e}, state {furthest:.1e}, logits {off:.1e}",
        end="",
        flush=True,
    )
    return [one.loss for one in results]


def resumed(folder, modules):
    """A state that was read and written back gives the same steps."""
    alone = modules["training.distributed"].Processes(0, 1, torch.device("cpu"))
    program, recipe = modules["recipe"].PROGRAM, modules["recipe"].RECIPE
    step_of = modules["training.step"].Trainer
    first, results = trained(modules, alone, 4)
    again = step_of(program, processes=alone, steps=4, crob_draws=True)
    half = step_of(program, processes=alone, steps=4, crob_draws=True)
    half.load_weights()

    def batches(step):
        draws = modules["training.draws"]
        return [batch_of(draws, recipe, step, micro) for micro in range(recipe.accumulate)]

    for step in (1, 2):
        half.step(batches(step), step)
    again.load_state(half.state(), 2)
    for step in (3, 4):
        found = again.step(batches(step), step)
        check(found == results[step - 1], f"step {step} of a continued run differs")
    for name, value in first.state().items():
        check(torch.equal(value, again.state()[name]), f"{name} of a continued run differs")
    print(", continued: equal", end="", flush=True)


def in_parts(folder, expected, options):
    """The losses of two processes against those of one."""
    with_options = [f"{name}={value}" for name, value in options.items()]
    ran = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2",
         "--master-addr", "127.0.0.1", "--master-port", "0", "--rdzv-backend", "c10d",
         "--rdzv-endpoint", "127.0.0.1:0", __file__, "--part", str(folder),
         str(len(expected)), *with_options],
        env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True,
    )  # fmt: skip
    if ran.returncode != 0:
        raise ValueError(f"two processes failed: {ran.stderr[-3000:]}")
    found = json.loads(next(x for x in ran.stdout.splitlines() if x.startswith("{")))["losses"]
    worst = max(relative(a, b) for a, b in zip(found, expected, strict=True))
    limit = 1e-4 if not options.get("precision") else 5e-2
    check(worst <= limit, f"{options}: losses of two processes differ by {worst:.1e}")
    label = " ".join(with_options) or "ddp"
    print(f", two processes ({label}) {worst:.1e}", end="", flush=True)


def run_part(folder, steps, options):
    torch.set_num_threads(1)
    modules = load(folder)
    processes = modules["training.distributed"].join_processes("cpu")
    trainer, results = trained(modules, processes, steps, **options)
    if processes.is_first:
        print(json.dumps({"losses": [one.loss for one in results]}), flush=True)
    starve_gloo()
    for _ in range(5):
        processes.mean(torch.ones(3))
    modules["training.distributed"].leave_processes()
    # The trainer, and its reference to the group, end before the process does.
    del trainer
    modules["training.distributed"].end_process(0)


def starve_gloo():
    """Gives gloo's threads only time that no other thread wants, so that they end late."""
    if not hasattr(os, "sched_setscheduler"):
        return
    for thread in Path("/proc/self/task").iterdir():
        if "gloo" in (thread / "comm").read_text():
            os.sched_setscheduler(int(thread.name), os.SCHED_IDLE, os.sched_param(0))


def at_lower_precision(modules, expected):
    """bf16 under autocast is near f32, and not equal to it."""
    alone = modules["training.distributed"].Processes(0, 1, torch.device("cpu"))
    _, results = trained(modules, alone, len(expected), precision="bf16")
    worst = max(relative(one.loss, b) for one, b in zip(results, expected, strict=True))
    check(0 < worst <= 5e-2, f"losses in bf16 differ by {worst:.1e}")
    print(f", bf16 {worst:.1e}", end="", flush=True)


def main():
    if sys.argv[1] == "--part":
        options = dict(one.split("=") for one in sys.argv[4:])
        return run_part(Path(sys.argv[2]), int(sys.argv[3]), options)
    torch.set_num_threads(2)
    failed = []
    for folder in [Path(one) for one in sys.argv[1:]]:
        started = time.monotonic()
        case = json.loads((folder / "case.json").read_text())
        print(f"{folder.name}: ", end="", flush=True)
        try:
            modules = load(folder)
            losses = compare(folder, modules)
            if "continued" in case["checks"]:
                resumed(folder, modules)
            if "processes" in case["checks"]:
                for options in case["checks"]["processes"]:
                    in_parts(folder, losses, options)
            if "precision" in case["checks"]:
                at_lower_precision(modules, losses)
            print(f"  ({time.monotonic() - started:.1f} s)", flush=True)
        except Exception as error:
            failed.append(folder.name)
            print(f"\nFAILED {folder.name}: {type(error).__name__}: {error}", flush=True)
            if "CROBC_TRACE" in os.environ:
                raise
    if failed:
        raise SystemExit(f"{len(failed)} failed: {', '.join(failed)}")
    return None


main()
