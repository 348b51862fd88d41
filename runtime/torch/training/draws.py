"""The draws of crobc, made of Philox's random numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from ..weights import named_parts
from .distributed import Processes
from .philox import philox


@dataclass(frozen=True)
class Draw:
    """Random numbers that a training step of crobc draws."""

    key: str
    shape: tuple[int, ...]
    """For the samples of all processes."""

    @property
    def path(self) -> str:
        """The module that draws it: a key is uniform/PATH, a number in its code, and the number
        of the call."""
        return ".".join(self.key.removeprefix("uniform/").split(".")[:-2])


def draw(
    count: int, name: str, seed: int, step: int, micro: int
) -> NDArray[np.float32]:
    """The numbers of one draw: multiples of 2^-24 in [0, 1). `step` counts from 1, and the
    micro-batch `micro` from 0."""
    digest = hashlib.sha256(f"crob draw\n{seed}\n{name}".encode()).digest()
    key = (int.from_bytes(digest[:4], "little"), int.from_bytes(digest[4:8], "little"))
    words = philox(count, key, (step, micro))
    return (words >> np.uint32(8)).astype(np.float32) / np.float32(1 << 24)


class CrobDraws(TorchFunctionMode):
    """Within it, dropout and torch.rand take crobc's numbers: those of the module in whose
    forward they are drawn, in the order in which crobc's own training step draws them.
    """

    def __init__(
        self, draws: Sequence[Draw], seed: int, processes: Processes, model: nn.Module
    ) -> None:
        super().__init__()
        self._around: list[str] = []
        for path, part in named_parts(model):
            part.register_forward_pre_hook(self._enters(path))
            part.register_forward_hook(self._leaves)
        self._draws = draws
        self._seed = seed
        self._processes = processes
        self._step = 0
        self._micro = 0
        self._left: list[Draw] = []

    def _enters(self, path: str) -> Callable[..., None]:
        return lambda *_: self._around.append(path)

    def _leaves(self, *_: Any) -> None:
        self._around.pop()

    @contextmanager
    def micro_batch(self, step: int, micro: int) -> Iterator[None]:
        """The draws of one forward pass. Raises ValueError if it draws others than crobc."""
        self._step, self._micro = step, micro
        self._left = list(self._draws)
        self._around.clear()
        with self:
            yield
        if self._left:
            raise ValueError(f"the model does not draw {self._left[0].key}")

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        named = dict(kwargs or {})
        if func is F.dropout:
            return self._dropout(*args, **named)
        if func is F.scaled_dot_product_attention and named.get("dropout_p", 0.0) > 0.0:
            return self._attention(*args, **named)
        if func is torch.rand:
            shape = args[0] if len(args) == 1 and not isinstance(args[0], int) else args
            return self._numbers(tuple(shape), torch.device(named.get("device", "cpu")))
        if func is torch.rand_like:
            return self._numbers(tuple(args[0].shape), args[0].device)
        return func(*args, **named)

    def _dropout(
        self, x: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
    ) -> Tensor:
        if not training or p == 0.0:
            return x
        numbers = self._numbers(tuple(x.shape), x.device)
        return torch.where(numbers < p, 0.0, x / (1.0 - p))

    def _attention(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        *,
        attn_mask: Tensor | None = None,
        dropout_p: float,
        scale: float,
    ) -> Tensor:
        """Attention by its equations, as PyTorch's draws the dropout of weights itself."""
        scores = query @ key.transpose(-2, -1) * scale
        if attn_mask is not None:
            scores = scores + attn_mask
        return self._dropout(scores.softmax(-1), dropout_p) @ value

    def _numbers(self, shape: tuple[int, ...], device: torch.device) -> Tensor:
        one = self._taken()
        count = int(np.prod(one.shape, dtype=np.int64))
        numbers = draw(count, one.key, self._seed, self._step, self._micro)
        whole = torch.from_numpy(numbers.reshape(one.shape))
        return self._own(whole, one, shape).to(device)

    def _taken(self) -> Draw:
        """The next draw of the innermost module that has one left. What methods of other
        modules draw is in the order of the step."""
        if not self._left:
            raise ValueError("the model draws more random tensors than crobc's step")
        for path in reversed(self._around):
            for i, one in enumerate(self._left):
                if one.path == path:
                    return self._left.pop(i)
        return self._left.pop(0)

    def _own(self, whole: Tensor, one: Draw, shape: tuple[int, ...]) -> Tensor:
        """This process's rows: along one axis, the whole has as many more as there are
        processes."""
        rank, world = self._processes.rank, self._processes.world
        if tuple(whole.shape) == shape and world == 1:
            return whole
        axes = [
            i
            for i, (a, b) in enumerate(zip(whole.shape, shape, strict=False))
            if a != b
        ]
        if len(whole.shape) != len(shape) or len(axes) != 1:
            raise ValueError(
                f"{one.key} is drawn as {list(one.shape)}, not {list(shape)}"
            )
        axis = axes[0]
        rows = shape[axis]
        if rows * world != whole.shape[axis]:
            raise ValueError(
                f"{one.key} is drawn as {list(one.shape)}, not {list(shape)}"
            )
        return whole.narrow(axis, rank * rows, rows)
