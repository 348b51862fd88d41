"""crobc's onnxruntime in a process of Python, by its C API (onnxruntime_c_api.h): only there does PyTorch's profiler see its kernels."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from ctypes import byref, c_char_p, c_int, c_int64, c_size_t, c_uint32, c_void_p
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

# The version of the C API and the places of its functions, which stay the same in later versions.
VERSION = 17
PLACES = {
    "GetErrorMessage": 2,
    "CreateEnv": 3,
    "CreateSession": 7,
    "CreateSessionOptions": 10,
    "DisableMemPattern": 17,
    "SetSessionLogSeverityLevel": 22,
    "SessionGetOutputCount": 31,
    "SessionGetOutputName": 37,
    "CreateRunOptions": 39,
    "CreateTensorWithDataAsOrtValue": 49,
    "CreateMemoryInfo": 68,
    "GetAllocatorWithDefaultOptions": 78,
    "RunWithBinding": 133,
    "CreateIoBinding": 134,
    "BindInput": 136,
    "BindOutputToDevice": 138,
    "SessionOptionsAppendExecutionProvider_CUDA_V2": 204,
    "CreateCUDAProviderOptions": 205,
    "UpdateCUDAProviderOptions": 206,
}
# TensorProto.DataType.
TYPES = {torch.float32: 1, torch.uint8: 2, torch.int32: 6, torch.int64: 7, torch.bool: 9, torch.float16: 10}
FATAL = 4


class ApiBase(ctypes.Structure):
    _fields_ = [("get_api", ctypes.CFUNCTYPE(c_void_p, c_uint32)), ("get_version", ctypes.CFUNCTYPE(c_char_p))]


class Ort:
    """The library. Nothing is released: the process ends after a profile."""

    def __init__(self, library: Path) -> None:
        """Raises OSError if it cannot be loaded."""
        self._library = ctypes.CDLL(str(library))
        self._library.OrtGetApiBase.restype = ctypes.POINTER(ApiBase)
        self._api = self._library.OrtGetApiBase().contents.get_api(VERSION)
        if not self._api:
            raise OSError(f"{library} has no C API of version {VERSION}")
        self.environment = self.made("CreateEnv", c_int(FATAL), c_char_p(b"crobc"))

    def call(self, name: str, *args: Any) -> None:
        """Raises RuntimeError with onnxruntime's message."""
        status = self._function(name, c_void_p, *args)
        if status:
            message = self._function("GetErrorMessage", c_char_p, c_void_p(status))
            raise RuntimeError(message.decode("utf-8", "replace").splitlines()[0][:300])

    def made(self, name: str, *args: Any) -> c_void_p:
        """What a function writes to its last argument."""
        out = c_void_p()
        self.call(name, *args, byref(out))
        return out

    def _function(self, name: str, result: Any, *args: Any) -> Any:
        pointer = ctypes.cast(self._api, ctypes.POINTER(c_void_p))[PLACES[name]]
        kinds = [c_void_p if not isinstance(arg, ctypes._SimpleCData) else type(arg) for arg in args]
        return ctypes.CFUNCTYPE(result, *kinds)(pointer)(*args)

    def run(self, model: Path, inputs: dict[str, Tensor], device: str, plan_memory: bool) -> Callable[[], None]:
        """Opens a model, with all inputs where they are and all outputs on the device. Returns what runs it, and waits."""
        options = self.made("CreateSessionOptions")
        self.call("SetSessionLogSeverityLevel", options, c_int(FATAL))
        if not plan_memory:
            self.call("DisableMemPattern", options)
        if device == "cuda":
            self._append_cuda(options)
        session = self.made("CreateSession", self.environment, c_char_p(str(model).encode()), options)
        place = c_char_p(b"Cuda" if device == "cuda" else b"Cpu")
        # An allocator of a device (0), the first device, memory for tensors (0).
        memory = self.made("CreateMemoryInfo", place, c_int(0), c_int(0), c_int(0))
        binding = self.made("CreateIoBinding", session)
        for name, tensor in inputs.items():
            shape = (c_int64 * tensor.dim())(*tensor.shape)
            data = [c_void_p(tensor.data_ptr()), c_size_t(tensor.numel() * tensor.element_size())]
            kind = [shape, c_size_t(tensor.dim()), c_int(TYPES[tensor.dtype])]
            value = self.made("CreateTensorWithDataAsOrtValue", memory, *data, *kind)
            self.call("BindInput", binding, c_char_p(name.encode()), value)
        for name in self._outputs(session):
            self.call("BindOutputToDevice", binding, c_char_p(name), memory)
        settings = self.made("CreateRunOptions")
        return lambda: self.call("RunWithBinding", session, settings, binding)

    def _append_cuda(self, options: c_void_p) -> None:
        settings = {b"device_id": b"0", b"use_tf32": b"1", b"arena_extend_strategy": b"kSameAsRequested"}
        cuda = self.made("CreateCUDAProviderOptions")
        keys = (c_char_p * len(settings))(*settings)
        values = (c_char_p * len(settings))(*settings.values())
        self.call("UpdateCUDAProviderOptions", cuda, keys, values, c_size_t(len(settings)))
        self.call("SessionOptionsAppendExecutionProvider_CUDA_V2", options, cuda)

    def _outputs(self, session: c_void_p) -> list[bytes]:
        count = c_size_t()
        self.call("SessionGetOutputCount", session, byref(count))
        allocator = self.made("GetAllocatorWithDefaultOptions")
        names = [self.made("SessionGetOutputName", session, c_size_t(i), allocator) for i in range(count.value)]
        return [ctypes.cast(name, c_char_p).value or b"" for name in names]
