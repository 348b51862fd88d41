"""Runs jobs: several at a time, of which only one uses the device for measurements."""

from __future__ import annotations

import json
import queue
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .memory import DeviceMemory, Peak
from .plan import Case, Job, without_device
from .process import Event, Process, ended_with
from .results import Results

Command = Callable[[Job], "list[str] | str"]

# Seconds in which a process ends after its last case, and after it is killed. A call of the driver may go on for longer.
LAST = 15.0


@dataclass
class Running:
    job: Job
    process: Process
    remaining: list[Case]
    current: Case | None = None
    ready: bool = False
    """Whether it waits for the device."""
    until: float = 0.0
    """When the current case must have ended."""
    spare: float = 0.0
    """What was left of the limit when the case became ready."""
    killed: str | None = None
    begun: bool = False
    failure: str | None = None
    """Why the last case failed."""
    used: int | None = None
    """The memory of the device in use when the process began."""
    peak: Peak | None = None


@dataclass
class Schedule:
    results: Results
    command: Command
    """The program of a job, or why there is none."""
    crobc: Path
    """The folder from which crobc's sources are named."""
    env: dict[str, str]
    settings: dict[str, Any]
    slots: int
    memory: DeviceMemory | None
    keep: Callable[[], None]
    """Keeps what was measured so far."""
    _events: "queue.Queue[Event]" = field(default_factory=queue.Queue)
    _running: list[Running] = field(default_factory=list)
    _ended: set[str] = field(default_factory=set)
    _unusable: dict[str, str] = field(default_factory=dict)
    """Why a side cannot use the device."""
    _device: Running | None = None
    _count: int = 0

    def run(self, jobs: list[Job]) -> None:
        waiting = list(jobs)
        total = sum(len(job.cases) for job in jobs)
        try:
            while waiting or self._running:
                if self.results.left <= 0:
                    self._stop(waiting, f"the {self.results.minutes:g} minutes were over")
                    return
                if len(self._unusable) == 2:
                    self._stop(waiting, "neither crobc nor PyTorch can use this GPU")
                    return
                self._start(waiting)
                self._grant()
                try:
                    self._take(self._events.get(timeout=0.1))
                except queue.Empty:
                    pass
                self._limit()
                self._progress(total, waiting)
        finally:
            for one in self._running:
                one.process.kill()

    # Starting

    def _start(self, waiting: list[Job]) -> None:
        for job in list(waiting):
            if len(self._running) >= self.slots:
                return
            if not all(need in self._ended for need in job.needs):
                continue
            # Two are left for those that measure: one has the device, the other gets ready.
            busy = sum(is_slow(one.job) for one in self._running)
            most = self.slots - min(2, self.slots - 1)
            if is_slow(job) and busy >= most and self.slots > 1 and not all(map(is_slow, waiting)):
                continue
            waiting.remove(job)
            self._launch(job, job.cases)

    def _launch(self, job: Job, cases: list[Case]) -> None:
        command = self.command(job)
        # What PyTorch exports is for crobc.
        user = "crobc" if job.part == "export" else job.side
        if user in self._unusable and (uses_device(job) or job.part == "export"):
            command = self._unusable[user]
        if isinstance(command, str):
            self._fail_all(job, cases, command)
            self._ended.add(job.name)
            return
        self._count += 1
        used = self._used()
        work = self.results.work
        file = work / f"job-{self._count}.json"
        log = self.results.logs / f"{job.name.replace(':', '-')}.log"
        try:
            file.write_text(json.dumps({**self.settings, "folder": str(work), "cases": cases}), encoding="utf-8")
            folder = self.crobc if job.side == "crobc" else work
            process = Process(command, file, log, self.env, folder, self._events)
        except OSError as error:
            self._fail_all(job, cases, f"cannot be started: {error.strerror}")
            self._ended.add(job.name)
            return
        # The start of the program counts for its first case.
        until = time.monotonic() + job.limit
        self._running.append(Running(job, process, list(cases), until=until, used=used))

    # The device

    def _used(self) -> int | None:
        try:
            return self.memory.used() if self.memory else None
        except (OSError, AttributeError):
            return None

    def _grant(self) -> None:
        if self._device is not None:
            return
        ready = [one for one in self._running if one.ready]
        if not ready:
            return
        one = min(ready, key=lambda each: each.job.phase)
        self._device = one
        one.ready = False
        one.until = time.monotonic() + one.spare
        if self.memory and one.used is not None:
            one.peak = Peak(self.memory, one.process.pid, one.used)
        one.process.go()

    def _release(self, one: Running) -> dict[str, object]:
        if self._device is one:
            self._device = None
        peak, one.peak = one.peak, None
        return peak.stop() if peak else {}

    # Events

    def _take(self, event: Event) -> None:
        one = next((one for one in self._running if one.process is event.source), None)
        if one is None:
            return
        message = event.message
        if message is None:
            self._end(one, event.code)
        elif "begin" in message:
            one.current = next((case for case in one.remaining if case["id"] == message["begin"]), None)
            one.begun = True
            one.until = time.monotonic() + one.job.limit
        elif "ready" in message:
            one.ready = True
            one.spare = one.until - time.monotonic()
        elif "result" in message or "failed" in message:
            self._finish(one, message)

    def _finish(self, one: Running, message: dict[str, Any]) -> None:
        case = one.current
        memory = self._release(one)
        if case is None:
            return
        one.remaining = [other for other in one.remaining if other is not case]
        one.current = None
        one.until = time.monotonic() + (one.job.limit if one.remaining else LAST)
        if "failed" in message:
            why = str(message.get("why", ""))
            # What fails as the case before it is only in the tables.
            fail = self._leave_out if why == one.failure else self._fail_all
            fail(one.job, [case], why)
            one.failure = why
        else:
            found = {key: value for key, value in message.items() if key != "result"}
            self.results.add({**described(one.job, case), **memory, **found})

    def _end(self, one: Running, code: int | None) -> None:
        self._release(one)
        self._running.remove(one)
        if not one.remaining:
            self._ended.add(one.job.name)
            return
        why = one.killed or " ".join(part for part in [ended_with(code), one.process.last_words()] if part)
        # Between two cases, a process ends itself if a failure may have spoilt its device.
        # A program that does not even begin will not begin the next time.
        failed = [one.current] if one.current else [] if one.begun else one.remaining
        if failed:
            self._fail_all(one.job, failed, why)
        rest = [case for case in one.remaining if case not in failed]
        if rest:
            self._launch(one.job, rest)
        else:
            self._ended.add(one.job.name)

    def _fail_all(self, job: Job, cases: list[Case], why: str) -> None:
        if job.part == "probe":
            self._unusable[job.side] = f"{job.side} cannot use this GPU"
        if len(cases) == 1:
            self.results.add({**described(job, cases[0]), "failed": why})
            return
        self.results.say(f"{job.name}: {len(cases)} cases FAILED: {why}")
        self._leave_out(job, cases, why)

    # Time

    def _limit(self) -> None:
        now = time.monotonic()
        for one in list(self._running):
            if one.ready or now <= one.until:
                continue
            if one.killed is None:
                one.killed = f"it took more than {one.job.limit:.0f} s"
                one.process.kill()
                one.until = now + LAST
            else:
                one.killed += ", and does not end"
                self._end(one, None)

    def _stop(self, waiting: list[Job], cause: str) -> None:
        why = f"not measured: {cause}"
        for one in self._running:
            one.process.kill()
            self._release(one)
            self._leave_out(one.job, one.remaining, why)
        self._running.clear()
        for job in waiting:
            self._leave_out(job, job.cases, why)
        self.results.say(why)

    def _leave_out(self, job: Job, cases: list[Case], why: str) -> None:
        """Without a line each: the tables list them."""
        for case in cases:
            row = {**described(job, case), "failed": why}
            self.results.rows.append(row)
            self.results.write(row)

    _reported: float = 0.0

    def _progress(self, total: int, waiting: list[Job]) -> None:
        """Every ten seconds, so that a silent case is no dead one."""
        if self.results.passed - self._reported < 10:
            return
        self._reported = self.results.passed
        self.keep()
        left = sum(len(job.cases) for job in waiting) + sum(len(one.remaining) for one in self._running)
        done = total - left
        now = ", ".join(one.current["id"] if one.current else one.job.name for one in self._running)
        guess = f", about {self.results.passed / done * left:.0f} s" if done else ""
        self.results.say(f"… {done} of {total}{guess} to go, at most {self.results.left:.0f} s: {now}")


def described(job: Job, case: Case) -> dict[str, Any]:
    """What a row of the results says of its case."""
    keys = ["id", "kind", "name", "training", "precision", "batch", "graph", "source", "mode", "compiled"]
    return {"part": job.part, "side": job.side, **{key: case[key] for key in keys if key in case}}

def is_slow(job: Job) -> bool:
    """Whether it prepares for minutes, before or instead of measuring."""
    return without_device(job) or job.part == "compile"


def uses_device(job: Job) -> bool:
    return not without_device(job)
