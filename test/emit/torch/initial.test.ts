import { expect, test } from 'vitest';
import { written } from './written.ts';

const source = `fn around(fan: int) = uniform(low = -fan^-0.5, high = fan^-0.5)
module Part(dim: int, init: init = xavier_uniform(), bias_init: init? = none) {
  plain = Linear(dim, dim)
  fc = Linear(dim, dim, init = init, bias_init = if bias_init != none { bias_init } else { around(dim) })
  conv = Conv2d(dim, dim, 1, bias = false, init = kaiming_uniform(a = 5.0^0.5))
  norm = BatchNorm(dim)
  last = BatchNorm(dim, init = zeros)
  param weight: f32[dim, dim] ~ init
  param scale: f32[dim] ~ constant(value = 0.5)
  param bias: f32[dim] ~ around(dim)
  param more: f32[dim] ~ normal(std = 0.1)

  forward(x: f32[B, dim, H, W]) -> f32[B, dim, H, W] where B*H*W >= if training { 2 } else { 1 } {
    let y = rearrange(last(norm(conv(x))), "b c h w -> b h w c")
    return rearrange(matmul(fc(plain(y)), weight) * scale + bias + more, "b h w c -> b c h w")
  }
}
model Net {
  one = Part(4)
  two = Part(4, init = trunc_normal(std = 0.02, a = -1.0), bias_init = zeros)
  input x: f32[B, 4, H, W]
  output y = two(one(x))
}
`;

test('layers take initialisers where theirs are not those of PyTorch', () => {
  const { text, messages } = written(source);
  expect(messages).toEqual([]);
  expect(text).toContain(`class Linear(nn.Linear):
    """nn.Linear with initial values of its own."""

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        init: Callable[[Tensor], Tensor] | None = None,
        bias_init: Callable[[Tensor], Tensor] = nn.init.zeros_,
    ) -> None:
        # The constructor of the base class calls reset_parameters.
        self.init = partial(nn.init.trunc_normal_, std=0.02) if init is None else init
        self.bias_init = bias_init
        super().__init__(in_features, out_features, bias=bias)

    def reset_parameters(self) -> None:
        self.init(self.weight)
        if self.bias is not None:
            self.bias_init(self.bias)
`);
  expect(text).toContain(
    '    def reset_parameters(self) -> None:\n        super().reset_parameters()\n        self.init(self.weight)\n',
  );
  expect(text).toContain('        self.plain = Linear(dim, dim)\n');
  expect(text).toContain('self.conv = Conv2d(');
  expect(text).toContain('init=partial(nn.init.kaiming_uniform_, a=5.0**0.5)');
  expect(text).toContain('        self.norm = nn.BatchNorm2d(dim)\n');
  expect(text).toContain('        self.last = BatchNorm2d(dim, init=nn.init.zeros_)\n');
});

test('initialisers are parameters, functions, and tensors', () => {
  const { text } = written(source);
  expect(text).toContain('        init: Callable[[Tensor], Tensor] | None = None,\n');
  expect(text).toContain('        if init is None:\n            init = nn.init.xavier_uniform_\n');
  expect(text).toContain('        bias_init: Callable[[Tensor], Tensor] | None = None,\n');
  expect(text).toContain('bias_init=bias_init if bias_init is not None else around(dim)');
  expect(text).toContain(`def around(fan: int) -> Callable[[Tensor], Tensor]:
    return partial(nn.init.uniform_, a=-(fan**-0.5), b=fan**-0.5)
`);
  expect(text).toContain('self.weight = nn.Parameter(init(torch.empty(dim, dim)))');
  expect(text).toContain('self.scale = nn.Parameter(torch.full((dim,), 0.5))');
  expect(text).toContain('self.bias = nn.Parameter(around(dim)(torch.empty(dim)))');
  expect(text).toContain('self.more = nn.Parameter(torch.empty(dim).normal_(std=0.1))');
  expect(text).toContain(
    'init=partial(nn.init.trunc_normal_, std=0.02, a=-1.0),\n            bias_init=nn.init.zeros_,',
  );
});

test('the ring of sampling offsets is a function of the module', () => {
  const { text } = written(`module Offsets(heads: int, offsets: init = ring(heads, 1, 2)) {
  fc = Linear(4, heads*4, init = zeros, bias_init = offsets)
  forward(x: f32[B, 4]) -> f32[B, heads*4] { return fc(x) }
}
model Net {
  part = Offsets(2)
  input x: f32[B, 4]
  output y = part(x)
}
`);
  expect(text).toContain('def ring_(x: Tensor, heads: int, levels: int, points: int) -> Tensor:\n');
  expect(text).toContain('offsets = partial(ring_, heads=heads, levels=1, points=2)');
  expect(text).toContain('import math\n');
});
