"""What a golden case is: `<case>.weights.safetensors` under crob's names, and `<case>.io.safetensors`, inputs and outputs by name."""

from pathlib import Path

from safetensors.torch import save_file

HERE = Path(__file__).parent


def write(case, weights, values):
    whole = {name: v.detach().contiguous() for name, v in values.items()}
    save_file({name: w.detach().contiguous() for name, w in weights.items()}, HERE / f"{case}.weights.safetensors")
    save_file(whole, HERE / f"{case}.io.safetensors")
    count = sum(w.numel() for w in weights.values())
    print(f"{case}: {count:,} weights, outputs up to {max(v.abs().max().item() for v in whole.values() if v.is_floating_point()):.3g}")


def under(prefix, module):
    return {prefix + name: weight for name, weight in module.state_dict().items()}
