"""What this machine has: Node.js, Python's packages, CUDA's provider for onnxruntime."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PACK = Path(__file__).resolve().parent.parent
CROBC = PACK / "crobc"
OLDEST_NODE = (20, 19)
PROVIDERS = ["libonnxruntime_providers_shared.so", "libonnxruntime_providers_cuda.so"]


def find_node(given: str | None) -> list[str] | str:
    """The command of Node.js, or why there is none."""
    inside = PACK / "node" / "node"
    if given is None and inside.exists():
        # An archive that was unpacked without permissions.
        if not os.access(inside, os.X_OK):
            try:
                inside.chmod(0o755)
            except OSError:
                pass
        given = str(inside)
    found = given or shutil.which("node")
    missing = 'crobc needs Node.js: "npm run bench:gpu -- --with-node" makes a pack that has it'
    if found is None:
        return missing
    version = output([found, "--version"])
    try:
        major, minor = (int(part) for part in version.lstrip("v").split(".")[:2])
    except ValueError:
        return f"{found} does not run: {missing}"
    if (major, minor) < OLDEST_NODE:
        return f"Node.js {version} is too old, crobc needs {OLDEST_NODE[0]}.{OLDEST_NODE[1]}: {missing}"
    return [found]


def output(command: list[str], env: dict[str, str] | None = None, seconds: float = 20) -> str:
    """What a command prints; empty if it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, env=env, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.SubprocessError):
        return ""
    return (done.stdout if done.returncode == 0 else "").strip()


def versions(names: list[str]) -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            pass
    return found


def onnxruntime_version() -> str:
    package = CROBC / "node_modules" / "onnxruntime-node" / "package.json"
    return json.loads(package.read_text(encoding="utf-8"))["version"]


def environment(data: Path) -> dict[str, str]:
    """For all programs: CUDA's libraries of Python's packages can be found, and nothing is written elsewhere."""
    env = dict(os.environ)
    folders = [str(one) for one in nvidia_folders()]
    before = [one for one in env.get("LD_LIBRARY_PATH", "").split(os.pathsep) if one]
    env["LD_LIBRARY_PATH"] = os.pathsep.join([*before, *folders])
    env["XDG_DATA_HOME"] = str(data / "data")
    env["XDG_CACHE_HOME"] = str(data / "cache")
    env["TORCHINDUCTOR_CACHE_DIR"] = str(data / "inductor")
    env["TRITON_CACHE_DIR"] = str(data / "triton")
    # Inductor compiles beside measurements, whose launches need processors.
    env.setdefault("TORCHINDUCTOR_COMPILE_THREADS", str(max(1, len(os.sched_getaffinity(0)) // 2)))
    env["HF_HUB_OFFLINE"] = "1"
    if temporary() is None:
        (data / "tmp").mkdir(exist_ok=True)
        env["TMPDIR"] = str(data / "tmp")
    env["PYTHONDONTWRITEBYTECODE"] = "1"
    env.setdefault("HOME", str(data))
    return env


def temporary() -> Path | None:
    """The system's folder for temporary files, if one can be written to."""
    try:
        return Path(tempfile.gettempdir())
    except OSError:
        return None


def nvidia_folders() -> list[Path]:
    """`nvidia/cu13/lib`, `nvidia/cudnn/lib` and the like, which PyTorch's packages bring."""
    found: list[Path] = []
    for entry in sys.path:
        found += sorted(Path(entry or ".").glob("nvidia/*/lib"))
    return found


def ready_provider(node: list[str], env: dict[str, str], wheel: Path | None) -> str:
    """Puts onnxruntime's CUDA provider where crobc finds it. Says in one line where it is from, or how to get it."""
    version = onnxruntime_version()
    if wheel is not None:
        program = str(CROBC / "dist" / "bin" / "crobc.cjs")
        try:
            done = subprocess.run(
                [*node, program, "setup", "cuda", "--wheel", str(wheel)], capture_output=True, text=True, timeout=300, env=env
            )
        except (OSError, subprocess.SubprocessError) as error:
            return f"crobc setup cuda: {error}"
        words = (done.stdout + done.stderr).strip().splitlines()
        return f"provider: {words[0] if words else f'crobc setup cuda ends with {done.returncode}'}"
    for entry in sys.path:
        folder = Path(entry or ".")
        held = folder / "onnxruntime" / "capi"
        if (folder / f"onnxruntime_gpu-{version}.dist-info").exists() and all((held / name).exists() for name in PROVIDERS):
            link_provider(held, version, env)
            return f"provider: onnxruntime-gpu {version} of {folder}"
    inside = PACK / "provider"
    why = "none"
    if inside.exists():
        made_for = json.loads((inside / "provider.json").read_text(encoding="utf-8"))["capability"]
        here = capability()
        if here in (None, made_for):
            link_provider(inside, version, env)
            return f"provider: onnxruntime-gpu {version} of the pack, for compute capability {made_for}"
        why = f"that of the pack is for compute capability {made_for}, and this GPU has {here}"
    return (
        f"provider: {why}: crobc's CUDA needs \"pip install 'onnxruntime-gpu[cuda,cudnn]=={version}'\", "
        "or --wheel FILE with its wheel"
    )


def link_provider(folder: Path, version: str, env: dict[str, str]) -> None:
    """Lets crobc find the provider in a folder, as after `crobc setup cuda`."""
    target = Path(env["XDG_DATA_HOME"]) / "crobc" / f"onnxruntime-{version}"
    target.mkdir(parents=True, exist_ok=True)
    for name in PROVIDERS:
        (target / name).unlink(missing_ok=True)
        (target / name).symlink_to(folder / name)


def capability() -> str | None:
    """The compute capability of the first GPU, such as 9.0; None if nvidia-smi does not print it."""
    lines = output(["nvidia-smi", "--query-gpu=compute_cap", "--format=csv,noheader"]).splitlines()
    return lines[0].strip() if lines else None


def doctor(node: list[str], env: dict[str, str]) -> list[str]:
    """What crobc itself says about this machine."""
    program = str(CROBC / "dist" / "bin" / "crobc.cjs")
    try:
        done = subprocess.run([*node, program, "doctor"], capture_output=True, text=True, timeout=45, env=env, cwd=CROBC)
    except (OSError, subprocess.SubprocessError) as error:
        return [f"crobc doctor: {error}"]
    lines = (done.stdout + done.stderr).splitlines()
    return [line for line in lines if line.strip()]
