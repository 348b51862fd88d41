"""The memory of the GPU that is in use, and how busy it is, by NVML."""

from __future__ import annotations

import ctypes
import os
import threading


class MemoryInfo(ctypes.Structure):
    _fields_ = [("total", ctypes.c_ulonglong), ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong)]


class ProcessInfo(ctypes.Structure):
    """nvmlProcessInfo_v2_t."""

    _fields_ = [
        ("pid", ctypes.c_uint),
        ("used", ctypes.c_ulonglong),
        ("gpu", ctypes.c_uint),
        ("compute", ctypes.c_uint),
    ]


class Utilization(ctypes.Structure):
    _fields_ = [("gpu", ctypes.c_uint), ("memory", ctypes.c_uint)]


UNKNOWN = 2**64 - 1


class DeviceMemory:
    """Raises OSError if there is no NVML, or no device."""

    def __init__(self) -> None:
        self._nvml = ctypes.CDLL("libnvidia-ml.so.1")
        self._device = ctypes.c_void_p()
        self._check(self._nvml.nvmlInit_v2())
        visible = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")[0].strip()
        if visible.startswith(("GPU-", "MIG-")):
            self._check(self._nvml.nvmlDeviceGetHandleByUUID(visible.encode(), ctypes.byref(self._device)))
        else:
            index = int(visible) if visible.isdigit() else 0
            self._check(self._nvml.nvmlDeviceGetHandleByIndex_v2(index, ctypes.byref(self._device)))
        self.used()

    def _check(self, status: int) -> None:
        if status != 0:
            raise OSError(f"NVML ends with {status}")

    def total(self) -> int:
        return self._info().total

    def used(self) -> int:
        """Of all processes."""
        return self._info().used

    def _info(self) -> MemoryInfo:
        info = MemoryInfo()
        self._check(self._nvml.nvmlDeviceGetMemoryInfo(self._device, ctypes.byref(info)))
        return info

    def busy(self) -> float | None:
        """The share of the last moments, some hundred milliseconds, in which at least one kernel ran; None where NVML does not say."""
        rates = Utilization()
        status = self._nvml.nvmlDeviceGetUtilizationRates(self._device, ctypes.byref(rates))
        return rates.gpu / 100 if status == 0 else None

    def of_process(self, pid: int) -> int | None:
        """None where NVML does not say, as in containers that hide the numbers of processes."""
        count = ctypes.c_uint(64)
        rows = (ProcessInfo * 64)()
        if self._nvml.nvmlDeviceGetComputeRunningProcesses_v3(self._device, ctypes.byref(count), rows) != 0:
            return None
        found = next((row.used for row in rows[: count.value] if row.pid == pid), None)
        return None if found == UNKNOWN else found


class Peak:
    """The most memory that a process uses, and how busy the device is, looked at again and again until stop()."""

    def __init__(self, memory: DeviceMemory, pid: int, before: int) -> None:
        """`before` is what all processes used when this one began."""
        self._memory = memory
        self._pid = pid
        self._before = before
        self._by_process = 0
        self._by_device = 0
        self._busy: list[float] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._ended.wait(0.02):
            try:
                self._by_device = max(self._by_device, self._memory.used() - self._before)
                self._by_process = max(self._by_process, self._memory.of_process(self._pid) or 0)
                busy = self._memory.busy()
                self._busy += [] if busy is None else [busy]
            except (OSError, AttributeError):
                return  # Of an old driver, which lacks a function.

    def stop(self) -> dict[str, object]:
        self._ended.set()
        # A call of NVML may hang where the driver does.
        self._thread.join(1)
        # The device is busiest when runs are timed; before, it is set up.
        ordered = sorted(self._busy)
        busy = {"busy": ordered[int(0.9 * len(ordered))]} if ordered else {}
        if self._by_process > 0:
            return {"peak": self._by_process, "peakBy": "process", **busy}
        return {"peak": self._by_device, "peakBy": "device", **busy} if self._by_device > 0 else busy
