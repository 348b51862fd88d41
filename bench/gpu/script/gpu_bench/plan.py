"""Which jobs there are: the most important first, as time may run out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .options import Options

Case = dict[str, Any]


@dataclass
class Job:
    """Cases that one process measures, one after the other."""

    name: str
    part: str
    side: str
    """crobc or torch."""
    cases: list[Case]
    limit: float
    """Seconds for a case, without the time in which it waits for the device."""
    needs: tuple[str, ...] = ()
    """Jobs that must have ended."""
    phase: int = 0


@dataclass
class Plan:
    jobs: list[Job] = field(default_factory=list)

    def add(self, name: str, part: str, side: str, cases: list[Case], limit: float, needs: tuple[str, ...] = ()) -> None:
        """A job for each phase of the cases."""
        for phase in sorted({phase_of(case) for case in cases}):
            chosen_cases = [case for case in cases if phase_of(case) == phase]
            self.jobs.append(Job(f"{name}:{phase}" if phase > 1 else name, part, side, chosen_cases, limit, needs, phase))

    def ordered(self) -> list[Job]:
        jobs = sorted(self.jobs, key=lambda one: one.phase)
        names = {job.name for job in jobs}
        for job in jobs:
            # A job in phases is done with the first, if there is one.
            job.needs = tuple(
                next((name for name in (need, *(f"{need}:{phase}" for phase in (2, 3, 4))) if name in names), need)
                for need in job.needs
            )
            needs = job.needs if without_device(job) or job.part == "probe" else (probe_of(job.side), *job.needs)
            job.needs = tuple(need for need in needs if need in names)
        for job in jobs:
            # Forms could be measured at once, but are no part of any mark.
            if job.part == "forms":
                job.needs += tuple(one.name for one in jobs if one.phase == 1 and one.part in ("infer", "train"))
        return jobs


LARGEST = ("crobim", "swin-b")


def phase_of(case: Case) -> int:
    """0: what all others need; 1: what marks are made of; 2: other trainings, the largest models, where their time goes;
    3: the other models, forms, compiling that takes minutes; 4: what may be left out if time runs out."""
    kind, name = case["kind"], case.get("training", case["name"])
    tf32 = case.get("precision") == "tf32"
    batch = case.get("batch")
    large = 2 if name in LARGEST else 3
    if kind == "probe":
        return 0
    if kind in ("prepare", "export"):
        return 1 if name in LARGEST else 3
    if kind == "prepare-training":
        return 1 if name == "crobim" else 2
    if kind == "infer":
        marked = name in LARGEST and tf32 and batch == 1
        marked = marked or (name == "crobim" and batch == 8 and case["graph"] and case["precision"] != "bf16")
        return 1 if marked else large if case["graph"] else 4
    if kind == "exported":
        return 4 if not tf32 else 1 if name == "swin-b" else large
    if kind == "eager":
        first = name == "crobim" and tf32 and batch == 1
        if case["mode"] == "cuda-graph":
            return large
        if case["mode"] != "eager":
            return 4 if name != "crobim" else 1 if first and case["mode"] == "reduce-overhead" else 3
        if case["source"] == "package":
            return 2 if first else 4
        return 1 if first else 4 if case["precision"] == "f32" else large
    if kind == "train" and case.get("compiled"):
        return 3 if name == "crobim" and case["precision"] == "bf16" else 4
    if kind == "train":
        return 1 if name == "crobim" else 2
    return 3 if kind == "form" else 2


def plan(table: dict[str, Any], options: Options) -> list[Job]:
    """The jobs in the order of their importance. Raises ValueError for a model that is not there."""
    models, trainings = chosen(table["models"], options), chosen(table["trainings"], options)
    for name in options.models:
        if name not in models and name not in trainings:
            raise ValueError(f"--models: {name} is none of {', '.join([*table['models'], *table['trainings']])}")
    made = Plan()
    parts = set(options.only)
    gpu = options.device == "cuda"
    batches = [1, 8] if gpu else [1, 2]
    if gpu:
        for side in ["crobc", "torch"]:
            case = {"id": f"{side} on the GPU", "kind": "probe", "name": side}
            made.add(probe_of(side), "probe", side, [case], 100)
    if "forms" in parts:
        forms(made, table, options)
    for name, one in models.items():
        if parts & {"infer", "export", "compile", "profile"}:
            case = common("prepare", name, one, f"prepare {name}", batches=batches)
            made.add(f"prepare:{name}", "prepare", "crobc", [case], 200)
    for name, one in trainings.items():
        if parts & {"train", "compile", "profile"}:
            case = trained("prepare-training", name, one, f"prepare training {name}")
            made.add(f"prepare-training:{name}", "prepare", "crobc", [case], 200)
    for name, one in models.items():
        if "export" in parts:
            cases = [common("export", name, one, f"torch.onnx.export {name} b1", batch=1)]
            made.add(f"export:{name}", "export", "torch", cases, 200, (f"prepare:{name}",))
        infer(made, name, one, parts, gpu, batches)
    for name, one in trainings.items():
        train(made, name, one, parts, gpu)
    if "profile" in parts:
        profile(made, models, trainings, gpu)
    return made.ordered()


def probe_of(side: str) -> str:
    """The job that finds out whether a side can use the GPU at all."""
    return f"probe:{side}"


def without_device(job: Job) -> bool:
    return job.part == "prepare" or job.name.startswith("export:")


def infer(made: Plan, name: str, one: dict[str, Any], parts: set[str], gpu: bool, batches: list[int]) -> None:
    """Inference of one model by everyone."""
    needs = (f"prepare:{name}",)
    graphs = [True, False] if gpu else [False]
    if "infer" in parts:
        cases = []
        # Cases of one graph follow each other, and f32, which needs another engine, comes last.
        for precision in ["tf32", "f16", "bf16", "f32"] if gpu else ["f32", "f16"]:
            for batch in batches:
                for graph in graphs:
                    label = f"crobc {name} {precision} b{batch}{' graph' if graph else ''}"
                    cases.append(common("infer", name, one, label, batch=batch, precision=precision, graph=graph))
        made.add(f"crobc:{name}", "infer", "crobc", cases, 60, needs)
        for source in ["reference", "package"]:
            cases = [eager(name, one, source, "eager", precision, batch) for batch in batches for precision in torch_precisions(gpu)]
            made.add(f"torch:{name}:{source}", "infer", "torch", cases, 60, needs)
        if gpu:
            pairs = [("tf32", 1), ("bf16", 1), ("bf16", 8)]
            cases = [eager(name, one, "package", "cuda-graph", precision, batch) for precision, batch in pairs]
            made.add(f"torch-graph:{name}", "infer", "torch", cases, 60, needs)
    if "export" in parts:
        cases = []
        for precision in ["tf32", "f32"] if gpu else ["f32"]:
            for graph in graphs:
                label = f"export {name} {precision} b1{' graph' if graph else ''}"
                cases.append(common("exported", name, one, label, batch=1, precision=precision, graph=graph))
        made.add(f"exported:{name}", "export", "crobc", cases, 60, (f"export:{name}", *needs))
    if "compile" in parts:
        for mode in ["reduce-overhead", "default"]:
            pairs = [("tf32", 1), ("bf16", 1), ("bf16", 8)] if gpu else [("f32", 1)]
            cases = [eager(name, one, "package", mode, precision, batch) for precision, batch in pairs]
            made.add(f"compile:{name}:{mode}", "compile", "torch", cases, 240, needs)


def train(made: Plan, name: str, one: dict[str, Any], parts: set[str], gpu: bool) -> None:
    """Steps of one training. A process each, so that peak memory is that of the case."""
    needs = (f"prepare-training:{name}",)
    for precision in ["tf32", "bf16"] if gpu else ["f32"]:
        if "train" in parts:
            case = trained("train", name, one, f"crobc train {name} {precision}", precision=precision)
            made.add(f"crobc-train:{name}:{precision}", "train", "crobc", [case], 200, needs)
            case = trained("train", name, one, f"eager train {name} {precision}", precision=precision, compiled=False)
            made.add(f"torch-train:{name}:{precision}", "train", "torch", [case], 90, needs)
        if "compile" in parts:
            case = trained("train", name, one, f"torch.compile train {name} {precision}", precision=precision, compiled=True)
            made.add(f"compile-train:{name}:{precision}", "compile", "torch", [case], 240, needs)


def profile(made: Plan, models: dict[str, Any], trainings: dict[str, Any], gpu: bool) -> None:
    """Of the largest model and the largest training. A process for each profile of crobc's kernels, in case that it crashes."""
    precision = "tf32" if gpu else "f32"
    for name, one in list(models.items())[:1]:
        case = common("profile", name, one, f"profile crobc {name} {precision} b1", batch=1, precision=precision)
        made.add(f"profile-crobc:{name}", "profile", "crobc", [case], 60, (f"prepare:{name}",))
        case = common("kernels", name, one, f"kernels of crobc {name} {precision} b1", batch=1, precision=precision)
        made.add(f"kernels:{name}", "profile", "torch", [case], 60, (f"profile-crobc:{name}", f"prepare:{name}"))
        case = common("profile", name, one, f"profile eager {name} {precision} b1", batch=1, precision=precision)
        made.add(f"profile-torch:{name}", "profile", "torch", [case], 60, (f"prepare:{name}",))
    for name, one in list(trainings.items())[:1]:
        needs = (f"prepare-training:{name}",)
        case = trained("step-file", name, one, f"write the step of {name} {precision}", precision=precision)
        made.add(f"step-file:{name}", "prepare", "crobc", [case], 100)
        case = trained("kernels-step", name, one, f"kernels of crobc train {name} {precision}", precision=precision)
        made.add(f"kernels-step:{name}", "profile", "torch", [case], 200, (f"step-file:{name}", *needs))
        case = trained("profile-train", name, one, f"profile eager train {name} {precision}", precision=precision)
        made.add(f"profile-train:{name}", "profile", "torch", [case], 90, needs)


def forms(made: Plan, table: dict[str, Any], options: Options) -> None:
    scale = "small" if options.quick else "full"
    held = [one for one in table["forms"][scale] if options.device == "cuda" or not one["onCuda"]]
    cases = [{"id": one["id"], "kind": "form", "name": one["id"], "scale": scale} for one in held]
    made.add("crobc:forms", "forms", "crobc", cases, 20)


def torch_precisions(gpu: bool) -> list[str]:
    return ["tf32", "f32", "f16", "bf16"] if gpu else ["f32"]


def eager(name: str, one: dict[str, Any], source: str, mode: str, precision: str, batch: int) -> Case:
    label = f"{mode} {name} ({source}) {precision} b{batch}"
    return common("eager", name, one, label, source=source, mode=mode, precision=precision, batch=batch)


def common(kind: str, name: str, one: dict[str, Any], label: str, **more: Any) -> Case:
    keys = ["file", "model", "sizes", "package"]
    return {"id": label, "kind": kind, "name": name, **{key: one[key] for key in keys}, **more}


def trained(kind: str, name: str, one: dict[str, Any], label: str, **more: Any) -> Case:
    # Of a model that is both, the files of the training have other names.
    case = common(kind, f"train-{name}", one, label, **more)
    return {**case, "recipe": one["recipe"], "overrides": one["overrides"], "training": name}


def chosen(table: dict[str, Any], options: Options) -> dict[str, Any]:
    """Without --quick, the micro models are only trained: for inference they are too small to tell anything."""
    names = [name for name, one in table.items() if one["quick"] or not options.quick]
    if options.models:
        names = [name for name in names if name in options.models]
    elif not options.quick and any(not table[name]["quick"] and "recipe" not in table[name] for name in names):
        names = [name for name in names if not table[name]["quick"]]
    return {name: table[name] for name in names}
