"""The processes of a run, and what they exchange."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed import HashStore  # type: ignore[attr-defined]
from torch.distributed.nn.functional import all_reduce

_left: list[Any] = []
"""Groups that were ended. They are not freed: DDP may hold the last reference to one, and frees
it with Python's global lock held, while it waits for a thread of gloo that may wait for this lock
(PyTorch 2.13)."""


@dataclass(frozen=True)
class Processes:
    """This process among those of the run; of one process alone, rank 0 of 1."""

    rank: int
    world: int
    device: torch.device

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    def share(self, batch: int) -> int:
        """This process's number of samples of a micro-batch. Raises ValueError if the samples
        cannot be divided."""
        if batch % self.world != 0:
            raise ValueError(
                f"{self.world} processes cannot share a batch of {batch} equally"
            )
        return batch // self.world

    def mean(self, values: Tensor) -> Tensor:
        """The mean over all processes."""
        if self.world == 1:
            return values
        total = values.detach().clone()
        dist.all_reduce(total)
        return total / self.world

    def whole(self, x: Tensor) -> Tensor:
        """The rows of all processes along the first axis; gradients flow to the own ones."""
        if self.world == 1:
            return x
        own = x.detach().contiguous()
        # Not every back end gathers bools.
        sent = own.to(torch.uint8) if own.dtype == torch.bool else own
        parts = [torch.empty_like(sent) for _ in range(self.world)]
        dist.all_gather(parts, sent)
        rows = [part.to(x.dtype) for part in parts]
        rows[self.rank] = x
        return torch.cat(rows)

    def once(self, x: Tensor) -> Tensor:
        """A value that all processes compute alike: each has its part of the gradient."""
        return x if self.world == 1 else x / self.world + (x - x / self.world).detach()


def join_processes(device: str | None = None) -> Processes:
    """Joins the processes that torchrun started, by NCCL on CUDA and by gloo on the CPU; or
    is one process alone. `device` is cpu, cuda or cuda:N, by default CUDA if it works.
    """
    world = int(os.environ.get("WORLD_SIZE", "1"))
    rank = int(os.environ.get("RANK", "0"))
    chosen = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    if chosen.type == "cuda":
        if not torch.cuda.is_available():
            raise ValueError("this PyTorch has no CUDA device: choose the device cpu")
        if chosen.index is None:
            chosen = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        elif world > 1:
            raise ValueError(
                f"several processes need a device each: cuda, not {chosen}"
            )
        torch.cuda.set_device(chosen)
    if world > 1 and not dist.is_initialized():
        dist.init_process_group("nccl" if chosen.type == "cuda" else "gloo")
    return Processes(rank, world, chosen)


def join_alone(processes: Processes) -> None:
    """Makes a group of one process alone, for what needs a group."""
    if not dist.is_initialized():
        backend = "nccl" if processes.device.type == "cuda" else "gloo"
        store = HashStore()
        dist.init_process_group(backend, store=store, rank=0, world_size=1)


def leave_processes() -> None:
    """Ends the group; does nothing in a process alone."""
    if dist.is_initialized():
        _left.append(dist.group.WORLD)
        dist.destroy_process_group()


def end_process(code: int) -> NoReturn:
    """Ends this process with an exit code. One that has left a group does not let Python free
    what there is: a thread of gloo that waits for Python's global lock would abort it."""
    if _left:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


class WholeBatch(Mapping[str, Tensor]):
    """The samples of all processes, each input gathered when it is first read."""

    def __init__(self, batch: Mapping[str, Tensor], processes: Processes) -> None:
        self._batch = batch
        self._processes = processes
        self._whole: dict[str, Tensor] = {}

    def __getitem__(self, name: str) -> Tensor:
        if name not in self._whole:
            self._whole[name] = self._processes.whole(self._batch[name])
        return self._whole[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._batch)

    def __len__(self) -> int:
        return len(self._batch)


class SharedBatchNorm2d(nn.BatchNorm2d):
    """Batch normalisation with the mean and variance of all processes, on any device."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        axes = (0, 2, 3)
        shape = (1, -1, 1, 1)
        count = x.numel() // x.shape[1] * dist.get_world_size()
        wide = x.float()
        mean = all_reduce(wide.sum(axes)) / count
        centred = wide - mean.reshape(shape)
        variance = all_reduce(centred.square().sum(axes)) / count
        if self.running_mean is not None and self.running_var is not None:
            momentum = self.momentum if self.momentum is not None else 0.1
            with torch.no_grad():
                unbiased = variance * (count / max(count - 1, 1))
                self.running_mean.lerp_(mean, momentum)
                self.running_var.lerp_(unbiased, momentum)
        out = centred * (variance + self.eps).rsqrt().reshape(shape)
        if self.affine:
            out = out * self.weight.reshape(shape) + self.bias.reshape(shape)
        normed: Tensor = out.to(x.dtype)
        return normed


def share_batch_norms(model: nn.Module) -> None:
    """Gives batch normalisations the statistics of all processes, in place."""
    for module in model.modules():
        if type(module) is nn.BatchNorm2d:
            module.__class__ = SharedBatchNorm2d


def mapped(value: Any, change: Any) -> Any:
    """A tensor, list or named tuple with each of its tensors changed."""
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(mapped(item, change) for item in value))
    if isinstance(value, list | tuple):
        return type(value)(mapped(item, change) for item in value)
    return value
