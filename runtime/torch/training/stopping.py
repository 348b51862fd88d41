"""Requests to stop a run, on which all its processes agree."""

from __future__ import annotations

import os
import signal
from types import FrameType

import torch

from .distributed import Processes
from .report import Reporter

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """SIGINT and SIGTERM: the first one requests a stop, the second one ends the process."""

    def __init__(self, processes: Processes, report: Reporter) -> None:
        self._processes = processes
        self._report = report
        self._own = 0
        self.agreed = 0
        """The signal on which the processes agreed; 0 for none."""
        for number in _SIGNALS:
            signal.signal(number, self._handle)

    @property
    def name(self) -> str:
        return signal.Signals(self.agreed).name

    def agree(self, also: bool = False) -> bool:
        """Exchanges the signals of all processes, which must call it equally often. Returns
        whether `also` is true in one of them."""
        if self._report.reader_left:
            self._own = self._own or signal.SIGTERM
        found = [self._own, int(also)]
        if self._processes.world > 1:
            device = self._processes.device
            shared = torch.tensor(found, device=device)
            torch.distributed.all_reduce(shared, op=torch.distributed.ReduceOp.MAX)
            found = shared.tolist()
        self.agreed = found[0]
        return bool(found[1])

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        # torchrun passes on what a terminal has sent to all processes already, so that one
        # Ctrl-C can come twice.
        if self._own and "TORCHELASTIC_RUN_ID" not in os.environ:
            os._exit(128 + number)
        if not self._own:
            name = signal.Signals(number).name
            self._report.note(
                f"{name}: finishing the step and saving it; once more ends at once"
            )
        self._own = number
