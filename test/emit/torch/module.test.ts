import { expect, test } from 'vitest';
import { written } from './written.ts';

/** The class of a name in a module's text. */
function classIn(text: string, name: string): string {
  const start = text.indexOf(`class ${name}(`);
  const end = text.slice(start).search(/\n\n\n/);
  return end < 0 ? text.slice(start) : `${text.slice(start, start + end)}\n`;
}

const gated = `/// Scales channels by what it sees of them.
module Excite(channels: int, reduction: int = 4, hidden: int = channels/reduction) where channels % reduction == 0 {
  squeeze = Linear(channels, hidden)
  @path("up.0") excite = Linear(hidden, channels, bias = false)
  param scale: f32[channels] ~ constant(value = 0.1)

  forward(x: f32[B, channels, H, W]) -> f32[B, channels, H, W] where 2 <= H {
    let seen = mean(x, "b c h w -> b c") // eq. 1
    let weight = sigmoid(excite(relu(squeeze(seen)))) * scale
    return x * rearrange(weight, "b c -> b c 1 1")
  }
}

model Net {
  gate = Excite(8)
  input x: f32[B, 8, H, W]
  output y = gate(x)
}
`;

test('a module is a class with its parameters, documentation, conditions and equations', () => {
  const { text, messages } = written(gated.replace('model Net {', 'model Net where 2 <= H {'));
  expect(messages).toEqual([]);
  expect(classIn(text, 'Excite')).toBe(`class Excite(nn.Module):
    """Scales channels by what it sees of them."""

    paths: ClassVar[dict[str, str]] = {"excite": "up.0"}

    def __init__(
        self, channels: int, reduction: int = 4, hidden: int | None = None
    ) -> None:
        super().__init__()
        if hidden is None:
            hidden = channels // reduction
        if channels % reduction != 0:
            raise ValueError("Excite needs channels % reduction == 0")
        self.squeeze = Linear(channels, hidden)
        self.excite = Linear(hidden, channels, bias=False)
        self.scale = nn.Parameter(torch.full((channels,), 0.1))

    def forward(self, x: Tensor) -> Tensor:
        # x: f32[B, channels, H, W] -> f32[B, channels, H, W]
        H = x.shape[2]
        if H < 2:
            raise ValueError("Excite needs 2 <= H")
        seen = x.mean((2, 3))  # eq. 1
        weight: Tensor = self.excite(F.relu(self.squeeze(seen))).sigmoid() * self.scale
        return x * weight[:, :, None, None]
`);
});

test('a slot whose owner passes arguments takes what constructs the part', () => {
  const { text, messages } = written(`interface Norm(dim: int) {
  forward(x: f32[B, N, dim]) -> f32[B, N, dim]
}
module Scale(dim: int, by: float = 2.0): Norm {
  forward { return x * by }
}
module Block(dim: int, norm: Norm = Scale(by = 3.0)) {
  before = norm(dim = dim)
  forward(x: f32[B, N, dim]) -> f32[B, N, dim] { return before(x) }
}
model Net {
  blocks = [Block(8) for i in 0..2]
  input x: f32[B, N, 8]
  output y = blocks[1](blocks[0](x))
}
model Other extends Net { blocks[*].norm = Scale() }
`);
  expect(messages).toEqual([]);
  expect(text).toContain('class Scale(Norm):');
  expect(text).toContain('norm: Callable[..., Norm] = partial(Scale, by=3.0)');
  expect(text).toContain('self.before = norm(dim=dim)');
  expect(text).toContain('self.blocks = nn.ModuleList([Block(8) for i in range(2)])');
});

test('lines of a variant change arguments, and classes further inside', () => {
  const source = `module Inner(dim: int, by: float = 1.0) {
  fc = Linear(dim, dim)
  forward(x: f32[B, dim]) -> f32[B, dim] { return fc(x) * by }
}
module Outer(dim: int) {
  inner = Inner(dim)
  forward(x: f32[B, dim]) -> f32[B, dim] { return inner(x) }
}
model Net(dim: int = 8) {
  outer = Outer(dim)
  input x: f32[B, dim]
  output y = outer(x)
}
model Other extends Net {
  dim = 2 * dim
  outer.inner.by = 0.5
}
`;
  expect(written(source, 'Other').text).toContain('self.inner = Inner(dim, by=0.5)');
  expect(written(source, 'Other').text).not.toContain('Outer2');
  expect(written(source, 'Other').text).toContain('def __init__(self, dim: int = 16) -> None:');
  expect(written(source, 'Net').text).toContain('self.inner = Inner(dim)\n');
});

test('statements keep their order and names; lists are copied before they are changed', () => {
  const { text, messages } = written(`fn doubled(maps: [f32[B, C[i]] for i in 0..2]) -> typeof(maps) {
  for i in 0..2 {
    maps[i] = 2.0 * maps[i]
  }
  return maps
}
fn ramp(n: dim, falling: bool = false) -> f32[n, n] =
  tensor f32[i in n, j in n] {
    let at = if falling { f32(n - 1 - i) } else { f32(i) }
    at - f32(floor(j/2))
  }
model Net {
  input x: f32[B, 4]
  input z: f32[B, 6]
  let both = doubled([x, z])
  output y = matmul(both[0], ramp(4)) + sum(both[1], "b c -> b 1")
}
`);
  expect(messages).toEqual([]);
  expect(text).toContain(`    maps = list(maps)
    for i in range(2):
        maps[i] = 2.0 * maps[i]
    return maps
`);
  expect(text).toContain(`def ramp(n: int, falling: bool = False, *, device: torch.device) -> Tensor:
    # -> f32[n, n]
    i = torch.arange(n, device=device).unsqueeze(1)
    j = torch.arange(n, device=device)
    at = (n - 1 - i).float() if falling else i.float()
    return at - (j // 2).float()
`);
  expect(text).toContain('torch.matmul(both[0], ramp(4, device=x.device))');
});

test('names that Python or nn.Module uses get an underscore, and crob’s name stays in `paths`', () => {
  const { text } = written(`module Part(dim: int) {
  half = Linear(dim, dim)
  forward(x: f32[B, dim]) -> f32[B, dim] {
    let lambda = half(x)
    return lambda
  }
}
model Net {
  part = Part(4)
  input x: f32[B, 4]
  output y = part(x)
}
`);
  expect(text).toContain('paths: ClassVar[dict[str, str]] = {"half_": "half"}');
  expect(text).toContain('lambda_: Tensor = self.half_(x)');
});

test('what a method refuses is raised, and items that nothing reads have an underscore', () => {
  const { text, messages } = written(`module Pair(both: bool = true) {
  fc = Linear(4, 4)
  forward(x: f32[B, 4]) -> (a: f32[B, 4], b: f32[B, 4]) {
    if both { return (a = fc(x), b = x) }
    return refuse("there are not two")
  }
}
module First() {
  pair = Pair()
  forward(x: f32[B, 4]) -> f32[B, 4] {
    let (a, b) = pair(x)
    return a
  }
}
model Net {
  first = First()
  input x: f32[B, 4]
  output y = first(x)
}
`);
  expect(messages).toEqual([]);
  expect(text).toContain('        raise ValueError("there are not two")\n');
  expect(text).toContain('        a, _b = self.pair(x)\n');
});

test('paddings that are computed may have two or four amounts; the device is that of a renamed argument', () => {
  const { text, messages } = written(`fn widen(n: int) = [n, n, n, n]
fn blank(map: f32[B, 2, H, W]) -> f32[B, 2, H, W] = map * full(1.0, [B, 2, H, W])
model Net {
  input map: f32[B, 2, H, W]
  output y = conv2d(blank(map), full(0.5, [3, 2, 1, 1]), padding = widen(1))
}
`);
  expect(messages).toEqual([]);
  expect(text).toContain('            padded(blank(map_), widen(1)),\n');
  expect(text).toContain('def padded(x: Tensor, padding: Sequence[int], value: float = 0.0) -> Tensor:');
  expect(text).toContain('torch.ones(B, 2, H, W, device=map_.device)');
});

test('outputs that only training reads are none in inference', () => {
  const { text } = written(`model Net {
  fc = Linear(4, 4)
  head = Linear(4, 2)
  input x: f32[B, 4]
  let y = fc(x)
  output y
  output(train) score = head(y)
}
`);
  expect(text).toContain('class NetOutput(NamedTuple):\n    y: Tensor\n    score: Tensor | None\n');
  expect(text).toContain(
    '        if not self.training:\n            return NetOutput(y=y, score=None)\n        score = self.head(y)\n',
  );
});

test('what cannot be written is an error, and its place', () => {
  const { messages } = written(
    `module Stage(dim: int, by: float = 1.0) {
  fc = Linear(dim, dim)
  forward(x: f32[B, dim]) -> f32[B, dim] { return fc(x) * by }
}
model Net {
  stages = [Stage(8) for i in 0..2]
  input x: f32[B, 8]
  output y = stages[1](stages[0](x))
}
model Other extends Net { stages[1].by = 2.0 }
`,
    'Other',
  );
  expect(messages).toEqual(['CROB2501 a PyTorch module cannot change one item of a list of parts']);
});

test('keys of attention are transposed by themselves, as Inductor expects, and images are permuted', () => {
  const { text, messages } = written(`module Read(dim: int) {
  forward(x: f32[B, N, dim], y: f32[B, dim, H, W]) -> (score: f32[B, 2, N, N], image: f32[B, H, W, dim]) {
    let q = rearrange(x, "b n (h d) -> b h n d", h = 2)
    let k = rearrange(x, "b n (h d) -> b h d n", h = 2)
    return (score = matmul(q, k), image = rearrange(y, "b c h w -> b h w c"))
  }
}

model Net {
  read = Read(8)
  input x: f32[B, N, 8]
  input y: f32[B, 8, H, W]
  let found = read(x, y)
  output score = found.score
  output image = found.image
}
`);
  expect(messages).toEqual([]);
  expect(text).toContain('k = x.unflatten(2, (2, -1)).transpose(1, 2).transpose(2, 3)');
  expect(text).toContain('y.permute(0, 2, 3, 1)');
});

test('types are stated where type checkers see none: of variables that are returned, or of the result', () => {
  const { text } = written(`module Part() {
  fc = Linear(4, 4)
  forward(x: f32[B, 4], sum: bool = true) -> f32[B, 4] {
    let y = fc(x)
    if sum { return x + y }
    return x * fc(y)
  }
}
model Net {
  part = Part()
  input x: f32[B, 4]
  output y = part(x)
}
`);
  expect(text).toContain(`        y: Tensor = self.fc(x)
        if sum_:
            return x + y
        out: Tensor = x * self.fc(y)
        return out
`);
});

test('powers are floats, and the items of a split have no type of their own', () => {
  const { text } = written(`module Part(dim: int) {
  static scale = dim^-0.5
  forward(x: f32[B, 4]) -> f32[B, 2] {
    let (a, b) = split(x, "b *", [2, 2])
    return a * scale + b
  }
}
model Net {
  part = Part(4)
  input x: f32[B, 4]
  output y = part(x)
}
`);
  expect(text).toContain('        self.scale: float = dim**-0.5\n');
  expect(text).toContain(`        a, b = x.split([2, 2], dim=1)
        out: Tensor = a * self.scale + b
        return out
`);
});

test('parts that are there only together with another are cast', () => {
  const { text } = written(`module Part(wide: bool = true) {
  fc = Linear(4, 4) if wide
  norm = LayerNorm(4) if wide
  forward(x: f32[B, 4]) -> f32[B, 4] {
    if fc == none { return x }
    let y = if norm != none { norm(x) } else { x }
    return norm(fc(y))
  }
}
model Net {
  part = Part()
  input x: f32[B, 4]
  output y = part(x)
}
`);
  expect(text).toContain('y = self.norm(x) if self.norm is not None else x\n');
  expect(text).toContain('out: Tensor = cast(nn.LayerNorm, self.norm)(self.fc(y))\n');
});

test('results of other functions and lists of parameters become what a function returns', () => {
  const { text } = written(`fn both(x: f32[B, 4]) -> (a: f32[B, 4], b: f32[B, 4]) = (a = x, b = 2.0 * x)
fn again(x: f32[B, 4]) -> (a: f32[B, 4], b: f32[B, 4]) = both(x)
fn all(maps: [f32[B, 4] for i in 0..2]) -> [f32[B, 4] for i in 0..2] {
  return maps
}
model Net {
  input x: f32[B, 4]
  let found = again(x)
  let maps = all([found.a, found.b])
  output y = maps[0] + maps[1]
}
`);
  expect(text).toContain('    return AgainResult(*both(x))\n');
  expect(text).toContain('    return list(maps)\n');
});

test('parts in lists may be passed as a list or a ModuleList', () => {
  const { text } = written(`fn each(parts: LayerNorm[2], x: f32[B, 4]) -> f32[B, 4] = sum([part(x) for part in parts])
model Net {
  one = LayerNorm(4)
  two = LayerNorm(4)
  input x: f32[B, 4]
  output y = each([one, two], x)
}
`);
  expect(text).toContain('def each(parts: nn.ModuleList | Sequence[nn.Module], x: Tensor) -> Tensor:');
  expect(text).toContain('y = each([self.one, self.two], x)');
});

test('a batch normalisation takes views as contiguous tensors, as PyTorch computes wrong gradients for some', () => {
  const { text, messages } = written(`model Net {
  norm = BatchNorm(8)
  other = BatchNorm(8)
  input x: f32[B, N, 8]
  output y = other(norm(rearrange(x, "b n c -> b c n 1")))
}
`);
  expect(messages).toEqual([]);
  expect(text).toContain('self.other(self.norm(x.transpose(1, 2).unsqueeze(3).contiguous()))');
});

test('weights that are read under a condition are registered under it', () => {
  const { text, messages } = written(`module Shift(dim: int, moved: bool = false, scaled: bool = false) {
  param scale: f32[dim] ~ ones
  param first: f32[dim] ~ zeros
  param second: f32[dim] ~ zeros
  param always: f32[dim] ~ zeros

  forward(x: f32[B, dim]) -> f32[B, dim] {
    let y = x + always
    if scaled {
      y = y * scale
    }
    if moved {
      y = y + first - second
    }
    return if moved { y } else { y + always }
  }
}

model Net {
  shift = Shift(8)
  input x: f32[B, 8]
  output y = shift(x)
}
`);
  expect(messages).toEqual([]);
  expect(classIn(text, 'Shift')).toContain(`        if scaled:
            self.scale = nn.Parameter(torch.ones(dim))
        else:
            self.register_parameter("scale", None)
        if moved:
            self.first = nn.Parameter(torch.zeros(dim))
            self.second = nn.Parameter(torch.zeros(dim))
        else:
            self.register_parameter("first", None)
            self.register_parameter("second", None)
        self.always = nn.Parameter(torch.zeros(dim))
`);
});

test('the smallest is amin, and the comment of a model has its outputs', () => {
  const { text } = written(`model Net {
  input x: f32[B, C]
  output low: f32[B] = -amax(-x, "b c -> b")
}
`);
  expect(text).toContain('x.amin(1)');
  expect(text).toContain('# x: f32[B, C] -> low: f32[B]');
});
