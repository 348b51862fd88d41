"""The operators of crobc in PyTorch's own, by name. `test/fuzz/pytorch/pytorch.test.ts` holds that none is missing.

Each takes its attributes and its operands. Floats are float64, so that PyTorch's results can be compared with the reference kernels'.
"""

import torch
import torch.nn.functional as F

DTYPES = {
    "f32": torch.float64,
    "i32": torch.int32,
    "bool": torch.bool,
    "i64": torch.int64,
    "u8": torch.uint8,
}


class Unclear(Exception):
    """PyTorch's formula cannot tell these arguments from others where the result jumps."""


def dtype(name):
    if name not in DTYPES:
        raise ValueError(f"there is no {name} here: graphs are compared before they are made half precision")
    return DTYPES[name]


def given(attributes, tensor):
    return tensor


def gather(attributes, x, index):
    return x[rows(index, x.shape[0])]


def scatter_add(attributes, index, updates):
    n = attributes["rows"]
    rest = updates.shape[index.dim():]
    zeros = torch.zeros([n, *rest], dtype=updates.dtype)
    return zeros.index_add(0, rows(index, n).reshape(-1), updates.reshape([index.numel(), *rest]))


def rows(index, n):
    if index.numel() > 0 and (int(index.min()) < 0 or int(index.max()) >= n):
        raise IndexError(f"an index is not in 0..{n - 1}")
    return index.long()


def pad(attributes, x):
    low, high = attributes["low"], attributes["high"]
    widths = [width for axis in reversed(range(x.dim())) for width in (low[axis], high[axis])]
    value = float(attributes["value"])
    return F.pad(x, widths, value=value if x.dtype.is_floating_point else int(value))


def slices(attributes, x):
    parts = zip(attributes["start"], attributes["stop"], attributes["step"])
    return x[tuple(slice(start, stop, step) for start, stop, step in parts)]


def topk(attributes, x):
    # torch.topk promises no order of equal elements.
    values, index = torch.sort(x, dim=-1, descending=True, stable=True)
    k = attributes["k"]
    return values[..., :k], index[..., :k].int()


def around(x, padding, value):
    top, left, bottom, right = padding
    return F.pad(x, [left, right, top, bottom], value=value)


def windows(attributes):
    return {name: attributes[name] for name in ("stride", "dilation", "groups")}


def conv2d(attributes, x, w):
    return F.conv2d(around(x, attributes["pad"], 0.0), w, **windows(attributes))


def conv2d_dx(attributes, dy, w):
    top, left, bottom, right = attributes["pad"]
    height, width = attributes["shape"][2:]
    padded = (top + height + bottom, left + width + right)
    reach = [
        (dy.shape[2 + i] - 1) * attributes["stride"][i] + attributes["dilation"][i] * (w.shape[2 + i] - 1) + 1
        for i in (0, 1)
    ]
    dx = F.conv_transpose2d(dy, w, **windows(attributes))
    # Rows that no window reaches; F.conv_transpose2d bounds its `output_padding`.
    dx = F.pad(dx, [0, padded[1] - reach[1], 0, padded[0] - reach[0]])
    return dx[:, :, top:top + height, left:left + width]


def conv2d_dw(attributes, x, dy):
    x = around(x, attributes["pad"], 0.0)
    height, width = attributes["kernel"]
    shape = [dy.shape[1], x.shape[1] // attributes["groups"], height, width]
    w = torch.zeros(shape, dtype=x.dtype)
    stride, dilation, groups = (attributes[name] for name in ("stride", "dilation", "groups"))
    _, dw, _ = torch.ops.aten.convolution_backward(
        dy, x, w, None, stride, [0, 0], dilation, False, [0, 0], groups, [False, True, False]
    )
    return dw


def max_pool2d(attributes, x):
    return F.max_pool2d(around(x, attributes["pad"], float("-inf")), attributes["kernel"], attributes["stride"])


def grid_sample(attributes, x, at):
    # PyTorch's positions are parts of the width, and whole ones are to stay whole: zeros fill a power of two, with which the way
    # there and back is exact.
    height, width = (power(n) for n in x.shape[2:])
    x = F.pad(x, [0, width - x.shape[3], 0, height - x.shape[2]])
    sizes = torch.tensor([width, height], dtype=at.dtype)
    grid = (2 * at + 1) / sizes - 1
    back = ((grid + 1) * sizes - 1) / 2
    if bool((back.floor() != at.floor()).any()) or bool(((back == back.floor()) != (at == at.floor())).any()):
        raise Unclear("grid_sample beside a whole position")
    sampled = F.grid_sample(x, grid.unsqueeze(2), mode="bilinear", padding_mode="zeros", align_corners=False)
    return sampled.squeeze(3)


def power(n):
    return 1 << (n - 1).bit_length()


def reduced(f):
    return lambda a, x: f(x, dim=a["axes"], keepdim=a["keep"])


def element(f):
    return lambda a, *operands: f(*operands)


OPERATORS = {
    "constant": given,
    "full": lambda a: torch.full(a["shape"], float(a["value"]), dtype=torch.float64).to(dtype(a["dtype"])),
    "iota": lambda a: torch.arange(a["n"], dtype=torch.int32),
    "dim": lambda a: torch.tensor(a["value"], dtype=torch.int32),
    "uniform": given,
    "stop_gradient": lambda a, x: x.detach(),
    "barrier": lambda a, x, signal: x,
    "reshape": lambda a, x: x.reshape(a["shape"]),
    "transpose": lambda a, x: x.permute(a["perm"]),
    "broadcast": lambda a, x: torch.broadcast_to(x, a["shape"]),
    "concat": lambda a, *parts: torch.cat(parts, dim=a["axis"]),
    "slice": slices,
    "pad": pad,
    "gather": gather,
    "scatter_add": scatter_add,
    "select": element(torch.where),
    "cast": lambda a, x: x.to(dtype(a["dtype"])),
    "neg": element(torch.neg),
    "abs": element(torch.abs),
    "exp": element(torch.exp),
    "log": element(torch.log),
    "sqrt": element(torch.sqrt),
    "sin": element(torch.sin),
    "cos": element(torch.cos),
    "tanh": element(torch.tanh),
    "erf": element(torch.erf),
    "sigmoid": element(torch.sigmoid),
    # At its default threshold the result is x itself from 20 on, which float64 tells from log(1 + e^x).
    "softplus": lambda a, x: F.softplus(x, threshold=700),
    "relu": element(F.relu),
    "floor": element(torch.floor),
    "not": element(torch.logical_not),
    "add": element(torch.add),
    "sub": element(torch.sub),
    "mul": element(torch.mul),
    "div": element(torch.div),
    "pow": element(torch.pow),
    "max": element(torch.maximum),
    "min": element(torch.minimum),
    "mod": element(torch.remainder),
    "floordiv": lambda a, x, y: torch.div(x, y, rounding_mode="floor"),
    "eq": element(torch.eq),
    "lt": element(torch.lt),
    "le": element(torch.le),
    "and": element(torch.logical_and),
    "or": element(torch.logical_or),
    "sum": lambda a, x: torch.sum(x, dim=a["axes"], keepdim=a["keep"], dtype=x.dtype),
    "reduce_max": reduced(torch.amax),
    "topk": topk,
    "matmul": element(torch.matmul),
    "conv2d": conv2d,
    "conv2d_dx": conv2d_dx,
    "conv2d_dw": conv2d_dw,
    "mean": reduced(torch.mean),
    "softmax": lambda a, x: F.softmax(x, dim=a["axis"]),
    "log_softmax": lambda a, x: F.log_softmax(x, dim=a["axis"]),
    "layer_norm": lambda a, x, scale, bias: F.layer_norm(x, [x.shape[-1]], scale, bias, float(a["eps"])),
    "gelu": lambda a, x: F.gelu(x, approximate="tanh" if a["approximate"] else "none"),
    "max_pool2d": max_pool2d,
    "grid_sample": grid_sample,
}
