"""What run.py does, from the command line to the tables."""

from __future__ import annotations

import json
import os
import platform
import shutil
import signal
import sys
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import machine
from .marks import marks
from .memory import DeviceMemory
from .options import Options, read_options
from .plan import Job, plan
from .results import Results
from .schedule import Schedule
from .tables import tables

PACKAGES = ["torch", "transformers", "safetensors", "numpy", "onnx", "onnxscript", "onnxruntime", "onnxruntime-gpu", "triton"]


def main(args: list[str]) -> int:
    options = read_options(args)
    table = json.loads((machine.PACK / "cases.json").read_text(encoding="utf-8"))
    try:
        jobs = plan(table, options)
    except ValueError as error:
        print(f"run.py: {error}", file=sys.stderr)
        return 2
    if options.list:
        print_list(jobs)
        return 0
    results = Results(options.out, options.minutes)
    # What ends the script from outside asks first: `timeout`, or a terminal that is gone.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    try:
        measure(options, jobs, results, lambda: results.write_text("tables.md", report(results, table)))
    except KeyboardInterrupt:
        results.say("stopped")
    finally:
        text = report(results, table)
        results.write_text("tables.md", f"{text}\n")
        results.show(f"\n{text}\n")
        results.show(f"written: {results.out}/results.jsonl, tables.md and logs/")
        results.close(options.keep)
    return 0


def report(results: Results, table: dict[str, Any]) -> str:
    return "\n\n".join([*tables(results.rows, table), marks(results.rows)])


def interrupted(number: int, _frame: object) -> None:
    signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def print_list(jobs: list[Job]) -> None:
    for job in jobs:
        print(f"{job.name} ({job.part}, {job.side}): {len(job.cases)} cases, at most {job.limit:.0f} s each")
        for case in job.cases:
            print(f"    {case['id']}")


def measure(options: Options, jobs: list[Job], results: Results, keep: Callable[[], None]) -> None:
    """Calls `keep` from time to time, in case that the script is killed."""
    env = machine.environment(results.work)
    found = machine.versions(PACKAGES)
    cpus = len(os.sched_getaffinity(0))
    gpu = machine.output(["nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"])
    facts: dict[str, Any] = {
        "part": "machine",
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "system": platform.platform(),
        "cpus": cpus,
        "gpu": gpu.splitlines()[0] if gpu else None,
        "packages": found,
        "device": options.device,
        "compiler": compiler(),
        "bytesFree": shutil.disk_usage(results.out).free,
    }
    node = machine.find_node(options.node)
    results.say(f"{facts['gpu'] or 'no GPU by nvidia-smi'}; {cpus} processors; {facts['system']}")
    results.say(", ".join(f"{name} {version}" for name, version in found.items()))
    results.say(f"C compiler: {facts['compiler']}; {facts['bytesFree'] / 2**30:.0f} GiB free in {results.out}")
    if isinstance(node, str):
        results.say(node)
    else:
        facts["node"] = machine.output([*node, "--version"])
        facts["crobc"] = machine.output([*node, str(machine.CROBC / "dist/bin/crobc.cjs"), "--version"], env)
        results.say(f"Node.js {facts['node']}, crobc {facts['crobc']}, onnxruntime {machine.onnxruntime_version()}")
        if options.device == "cuda":
            facts["provider"] = machine.ready_provider(node, env, options.wheel)
            results.say(facts["provider"])
            facts["doctor"] = machine.doctor(node, env)
            for line in cuda_lines(facts["doctor"]):
                results.say(f"  {line}")
    results.write(facts)
    lacking = "PyTorch is missing here" if "torch" not in found else None

    def command(job: Job) -> list[str] | str:
        if job.side == "crobc":
            return node if isinstance(node, str) else [*node, str(machine.CROBC / "dist" / "worker.mjs")]
        return lacking or [sys.executable, str(machine.PACK / "torch_worker.py")]

    Schedule(
        results=results,
        command=command,
        crobc=machine.CROBC,
        env=env,
        settings=settings(options, cpus),
        slots=max(1, min(6, cpus // 2 - 2)),
        memory=device_memory(options, results),
        keep=keep,
    ).run(jobs)


def compiler() -> str:
    """The C compiler that Triton needs for torch.compile, with Python's headers."""
    found = os.environ.get("CC") or shutil.which("gcc") or shutil.which("clang")
    if found is None:
        return "none, which torch.compile needs"
    header = Path(sysconfig.get_paths()["include"]) / "Python.h"
    return found if header.exists() else f"{found}, but Python's headers, which torch.compile needs, are not there"


def cuda_lines(lines: list[str]) -> list[str]:
    """Of crobc doctor's lines, those of CUDA and koffi, with the advice below them."""
    found, wanted = [], False
    for line in lines:
        if not line.startswith("          "):
            wanted = "onnxruntime cuda" in line or " koffi " in line
        if wanted:
            found.append(line.strip())
    return found


def settings(options: Options, cpus: int) -> dict[str, object]:
    """What all programs get."""
    timing = {"runs": 5, "fewest": 2, "seconds": 1.0} if options.quick else {"runs": 50, "fewest": 5, "seconds": 1.0}
    # On the CPU, both sides get the same threads.
    threads = {"threads": cpus} if options.device == "cpu" else {}
    return {"device": options.device, **timing, **threads}


def device_memory(options: Options, results: Results) -> DeviceMemory | None:
    if options.device != "cuda":
        return None
    try:
        return DeviceMemory()
    except (OSError, AttributeError) as error:
        results.say(f"peak memory is only PyTorch's own: {error}")
        return None
