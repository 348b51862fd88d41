"""One training step: losses, gradients, clipping, optimizer, buffers and moving average."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor
from torch.nn.parallel import DistributedDataParallel
from torch.nn.utils import clip_grads_with_norm_, get_total_norm

from ..weights import named_parts
from .distributed import Processes, WholeBatch, join_alone, mapped, share_batch_norms
from .draws import CrobDraws
from .schedule import schedule_factor
from .settings import Batch, Program
from .weight_state import StepFacts, WeightState

Precision = Literal["f32", "bf16", "f16"]
Strategy = Literal["ddp", "fsdp"]
dtypes = {"f32": torch.float32, "bf16": torch.bfloat16, "f16": torch.float16}


@dataclass(frozen=True)
class StepResult:
    """Means over the micro-batches of a step and all processes, equal in each process."""

    loss: float
    terms: dict[str, float]
    gradient_norm: float
    """Before clipping."""
    learning_rate: float
    skipped: bool
    """Whether the gradients were not finite under the loss scale of f16, so that the weights
    stayed as they were and the scale was halved."""


class Trainer:
    """A model in training. Every process of a run has one, and calls the same methods."""

    def __init__(
        self,
        program: Program,
        *,
        processes: Processes,
        steps: int,
        precision: Precision = "f32",
        crob_draws: bool = False,
        seed: int | None = None,
        strategy: Strategy = "ddp",
        compiled: bool = False,
    ) -> None:
        """`steps` is the length of the run, for the schedule; `seed` is that of the draws, by
        default the recipe's. The weights are those of program.model(); load_weights or
        load_state gives others. Raises ValueError for settings that exclude each other.
        """
        recipe = program.recipe
        if compiled and crob_draws:
            raise ValueError("crobc's random numbers cannot be drawn in compiled code")
        if precision == "f16" and strategy == "fsdp":
            raise ValueError("f16 cannot be combined with fsdp: use bf16")
        self.notes: list[str] = []
        """What the user should know of the choices, a sentence each."""
        self._program = program
        self._processes = processes
        self._steps = steps
        self._precision = precision
        self._samples = processes.share(recipe.dims["B"])
        self._facts = StepFacts.read(program.folder)
        self._module = program.model().to(processes.device)
        self._weights = WeightState(self._module, recipe, self._facts)
        self._draws: CrobDraws | None = None
        if crob_draws:
            own = recipe.seed if seed is None else seed
            self._draws = CrobDraws(self._facts.draws, own, processes, self._module)
        self._forward = self._joined(strategy)
        if compiled:
            self._forward = torch.compile(self._forward)
        self._weights.begin()
        # Only f16 has a range so small that gradients must be scaled.
        self._scaler = torch.amp.GradScaler(
            processes.device.type, enabled=precision == "f16"
        )
        # Steps that changed no weight, which AdamW does not count.
        self._skipped = 0
        self._is_exchanged = False
        # As a module is in train() at first, but with all its parts.
        self._module.eval()

    @property
    def device(self) -> torch.device:
        return self._processes.device

    def step(self, batches: Sequence[Batch], step: int) -> StepResult:
        """Trains on one micro-batch after the other, as many as the recipe accumulates; each
        has this process's share of the samples. `step` counts from 1."""
        recipe = self._program.recipe
        if len(batches) != recipe.accumulate:
            raise ValueError(f"a step has {recipe.accumulate} micro-batches")
        self._train()
        sums: dict[str, Tensor] = {}
        for micro, batch in enumerate(batches):
            with self._accumulating(micro < len(batches) - 1):
                terms = self._terms(batch, step, micro)
                loss = torch.stack(list(terms.values())).sum()
                self._scaler.scale(loss * (self._factor() / len(batches))).backward()
            for name, term in {"": loss, **terms}.items():
                sums[name] = sums.get(name, torch.zeros_like(term)) + term.detach()
        means = self._processes.mean(torch.stack(list(sums.values())) / len(batches))
        rate = recipe.optimizer.lr * schedule_factor(
            recipe.schedule, step - 1, self._steps
        )
        norm, skipped = self._update(rate, step)
        values = dict(zip(sums, means.tolist(), strict=True))
        loss_value = values.pop("")
        return StepResult(loss_value, values, norm, rate, skipped)

    def load_weights(self, file: Path | None = None) -> None:
        """Starts from a safetensors file of all weights with crob's names; by default, from
        that of the package. Raises ValueError if it does not fit."""
        if file is None:
            if self._facts.needs is not None:
                raise ValueError(f"{self._facts.needs}: give all weights by --weights")
            file = self._program.folder / f"{self._program.recipe.model}.safetensors"
        try:
            self._weights.write_weights(load_file(file))
        except ValueError as error:
            raise ValueError(f"{file}: {error}") from None

    def state(self) -> dict[str, Tensor]:
        """The state by crobc's names (weight:PATH, buffer:PATH, moment:PATH, variance:PATH,
        average:PATH), f32 on the CPU, whole in every process. With f16 also scaler:scale,
        scaler:growth and scaler:skipped. All processes must call it."""
        out = self._weights.read()
        if self._scaler.is_enabled():
            held = self._scaler.state_dict()
            out["scaler:scale"] = torch.tensor([held["scale"]])
            out["scaler:growth"] = torch.tensor([float(held["_growth_tracker"])])
            out["scaler:skipped"] = torch.tensor([float(self._skipped)])
        return out

    def load_state(self, state: dict[str, Tensor], step: int) -> None:
        """Continues behind step `step` (0 for none). Raises ValueError if a tensor is missing
        or has another shape."""
        self._weights.write(state, step)
        if self._scaler.is_enabled() and "scaler:scale" in state:
            held = self._scaler.state_dict()
            held["scale"] = float(state["scaler:scale"])
            held["_growth_tracker"] = int(state["scaler:growth"])
            self._scaler.load_state_dict(held)
            self._skipped = int(state.get("scaler:skipped", 0))

    def predict(self, batch: Batch) -> Tensor:
        """The logits [B, 1, H, W] in eval(), f32, with averaged weights if the recipe has ema.
        With the strategy fsdp, all processes must call it equally often."""
        with self.evaluating(), torch.no_grad():
            outputs = self._outputs(self._module, self._on_device(batch))
        logits: Tensor = outputs if isinstance(outputs, Tensor) else outputs.logits
        return logits

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        """Predictions within it exchange the weights and their averages only once."""
        self._module.eval()
        if self._is_exchanged:
            yield
            return
        self._weights.exchange()
        self._is_exchanged = True
        try:
            yield
        finally:
            # Otherwise the next step would use the averages, which a forward pass without
            # gradients leaves gathered.
            if isinstance(self._module, FSDPModule):
                self._module.reshard()
            self._weights.exchange()
            self._is_exchanged = False

    def _joined(self, strategy: Strategy) -> Callable[..., Any]:
        """The model as the processes run it together."""
        processes = self._processes
        if processes.world > 1:
            share_batch_norms(self._module)
            coupled = self._program.recipe.coupled
            if coupled:
                self.notes.append(
                    f"{', '.join(coupled)} relate samples to each other: each process has "
                    "the losses of its own samples, and their mean is not that of one process"
                )
        if strategy == "fsdp":
            join_alone(processes)
            fully_shard(self._module)
            self._weights.refresh(self._module)
            return self._module
        if processes.world == 1:
            return self._module
        devices = [processes.device] if processes.device.type == "cuda" else None
        # Buffers need not be sent: they are made of statistics of all processes.
        return DistributedDataParallel(
            self._module, devices, broadcast_buffers=False, gradient_as_bucket_view=True
        )

    def _train(self) -> None:
        """Puts the model in train(), but for the modules that the recipe keeps in eval()."""
        if self._module.training:
            return
        self._module.train()
        for path, part in named_parts(self._module):
            if any(one.selects(path) for one in self._program.recipe.evaluated):
                part.eval()

    def _on_device(self, batch: Batch) -> Batch:
        return {k: v.to(self.device, non_blocking=True) for k, v in batch.items()}

    def _outputs(self, forward: Callable[..., Any], batch: Batch) -> Any:
        """The outputs of the model, f32."""
        dtype = dtypes[self._precision]
        lower = torch.autocast(
            self.device.type, dtype, enabled=self._precision != "f32"
        )
        with lower:
            outputs = forward(*(batch[name] for name in self._program.recipe.inputs))
        return mapped(outputs, lambda x: x.float() if x.is_floating_point() else x)

    def _terms(self, batch: Batch, step: int, micro: int) -> dict[str, Tensor]:
        """The terms of the loss: of the samples of all processes, unless outputs relate
        samples to each other."""
        samples = len(next(iter(batch.values())))
        if samples != self._samples:
            raise ValueError(
                f"a micro-batch has {samples} samples, not {self._samples}"
            )
        held = self._on_device(batch)
        drawing: AbstractContextManager[None] = nullcontext()
        if self._draws is not None:
            drawing = self._draws.micro_batch(step, micro)
        with drawing:
            outputs = self._outputs(self._forward, held)
            if not self._joins():
                return self._program.losses(outputs, held)
            whole = self._whole_outputs(outputs)
            return self._program.losses(whole, WholeBatch(held, self._processes))

    def _joins(self) -> bool:
        """Whether each process has the losses of the samples of all processes."""
        return self._processes.world > 1 and not self._program.recipe.coupled

    def _whole_outputs(self, outputs: Any) -> Any:
        processes, batched = self._processes, self._program.recipe.batched
        if isinstance(outputs, Tensor):
            return processes.whole(outputs) if batched else processes.once(outputs)
        whole = {
            name: mapped(value, processes.whole if name in batched else processes.once)
            for name, value in outputs._asdict().items()
        }
        return type(outputs)(**whole)

    def _factor(self) -> float:
        """DDP and FSDP take the mean of the gradients of all processes; those of a loss of all
        samples are summed."""
        return float(self._processes.world) if self._joins() else 1.0

    def _accumulating(self, more: bool) -> AbstractContextManager[None]:
        """Exchanges gradients only after the last micro-batch."""
        if isinstance(self._forward, DistributedDataParallel) and more:
            return self._forward.no_sync()
        if isinstance(self._module, FSDPModule):
            self._module.set_requires_gradient_sync(not more)
        return nullcontext()

    def _update(self, rate: float, step: int) -> tuple[float, bool]:
        """Clips the gradients and updates the weights. Returns the norm of the gradients, and
        whether the update was skipped."""
        weights = self._weights
        lacking = next(weights.ungraded(), None)
        if lacking is not None:
            raise ValueError(
                f"the losses do not depend on {lacking}: fix it in the recipe"
            )
        self._scaler.unscale_(weights.optimizer)
        parameters = list(weights.parameters.values())
        gradients = [one.grad for one in parameters if one.grad is not None]
        norm = get_total_norm(gradients)
        if isinstance(norm, DTensor):
            norm = norm.full_tensor()
        clip = self._program.recipe.clip
        if clip is not None:
            clip_grads_with_norm_(parameters, clip, norm)
        for group in weights.optimizer.param_groups:
            group["lr"] = rate * group["factor"]
        weights.at_step(step - self._skipped)
        scale = self._scaler.get_scale()
        self._scaler.step(weights.optimizer)
        self._scaler.update()
        weights.optimizer.zero_grad(set_to_none=True)
        skipped = self._scaler.get_scale() < scale
        if skipped:
            self._skipped += 1
        else:
            weights.average()
        return float(norm), skipped
