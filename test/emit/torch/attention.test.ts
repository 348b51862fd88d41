import { expect, test } from 'vitest';
import { written } from './written.ts';

/** The body of `forward` of a module with these lines, over q and k: f32[B, N, 8], mask: bool[B, N]. */
function body(lines: string, { more = '', parts = '' } = {}): string {
  const { text, messages } = written(`module Read(scale: float = 0.5, causal: bool = false) {
${parts}
  forward(x: f32[B, N, 8], y: f32[B, N, 8], mask: bool[B, N]? = none) -> f32[B, N, 8] {
${lines}
  }
}
${more}
model Net {
  read = Read()
  input x: f32[B, N, 8]
  input y: f32[B, N, 8]
  input mask: bool[B, N]
  output z = read(x, y, mask)
}
`);
  expect(messages).toEqual([]);
  const [, own = ''] = /class Read[\s\S]*?-> f32\[B, N, 8\]\n([\s\S]*?)\n\n\n/.exec(text) ?? [];
  return own.replace(/^ {8}/gm, '');
}

const heads = `    let q = rearrange(x, "b n (h d) -> b h n d", h = 2)
    let k = rearrange(y, "b m (h d) -> b h d m", h = 2)
    let v = rearrange(y, "b m (h d) -> b h m d", h = 2)`;
const result = '    return rearrange(matmul(attention, v), "b h n d -> b n (h d)")';
const writtenHeads = `q = x.unflatten(2, (2, -1)).transpose(1, 2)
k = y.unflatten(2, (2, -1)).transpose(1, 2)
v = y.unflatten(2, (2, -1)).transpose(1, 2)
`;

test('the weights of attention become what is read with them, and the scores their bias', () => {
  expect(
    body(`${heads}
    let score = matmul(q, k) * scale // eq. 1
    if mask != none { score = score + rearrange(attention_bias(mask), "b m -> b 1 1 m") }
    let attention = softmax(score) // eq. 2
${result}`),
  ).toBe(`${writtenHeads}bias: Tensor | None = None  # eq. 1
if mask is not None:
    bias = attention_bias(mask)[:, None, None]
# eq. 2
attention = F.scaled_dot_product_attention(
    q, k, v, attn_mask=bias, scale=self.scale
)
return attention.transpose(1, 2).flatten(2, 3)`);
});

test('additions under conditions add to what is there', () => {
  expect(
    body(`${heads}
    let score = matmul(q, k) * (2 * scale)
    if causal { score += tensor f32[i in N, j in N] { select(j <= i, 0.0, -9.0) } }
    if mask != none { score = rearrange(attention_bias(mask), "b m -> b 1 1 m") + score }
    score = score + rearrange(mean(y, "b m c -> b m"), "b m -> b 1 1 m")
    let attention = softmax(score)
${result}`),
  ).toContain(`bias: Tensor | None = None
if self.causal:
    i = torch.arange(N, device=x.device).unsqueeze(1)
    j = torch.arange(N, device=x.device)
    bias = torch.where(j <= i, 0.0, -9.0)
if mask is not None:
    bias = (
        attention_bias(mask)[:, None, None]
        if bias is None
        else bias + attention_bias(mask)[:, None, None]
    )
bias = (
    y.mean(2)[:, None, None]
    if bias is None
    else bias + y.mean(2)[:, None, None]
)
attention = F.scaled_dot_product_attention(
    q, k, v, attn_mask=bias, scale=2 * self.scale
)`);
});

test('attention in one expression, with dropout, a bias of its own, and factors of the query', () => {
  expect(
    body(
      `${heads}
    let bias = rearrange(mean(y, "b m c -> b m"), "b m -> b 1 1 m")
    let a = drop(softmax(einsum("b h n d, b h m d -> b h n m", scale*q, v) * 0.5 + bias, "b h n *"))
    return rearrange(einsum("b h n m, b h m d -> b h n d", a, v) + rearrange(k, "b h d m -> b h m d"), "b h n d -> b n (h d)")`,
      {
        parts: '  drop = Dropout(0.1)',
      },
    ),
  ).toContain(`a = F.scaled_dot_product_attention(
    q,
    v,
    v,
    attn_mask=bias,
    dropout_p=self.drop.p if self.training else 0.0,
    scale=self.scale * 0.5,
)`);
});

test('keys that something else reads are transposed where attention takes them', () => {
  expect(
    body(`${heads}
    let attention = softmax(matmul(q, k))
    let more = matmul(attention, v) + rearrange(k, "b h d m -> b h m d")
    return rearrange(more, "b h n d -> b n (h d)")`),
  ).toContain('attention = F.scaled_dot_product_attention(q, k.transpose(-2, -1), v, scale=1.0)');
});

test('two attentions of a body have biases of their own', () => {
  const text = body(`${heads}
    let first = matmul(q, rearrange(q, "b h n d -> b h d n")) * scale
    if mask != none { first = first + rearrange(attention_bias(mask), "b m -> b 1 1 m") }
    let one = matmul(softmax(first), q)
    let second = matmul(one, k)
    second = second + 1.0 * rearrange(mean(y, "b m c -> b m"), "b m -> b 1 1 m")
    let attention = softmax(second)
${result}`);
  expect(text).toContain('one = F.scaled_dot_product_attention(q, q, q, attn_mask=bias, scale=self.scale)');
  expect(text).toContain('second = 1.0 * y.mean(2)[:, None, None]');
  expect(text).toContain('one, k, v, attn_mask=second, scale=1.0\n');
});

/** Bodies whose numbers would be others, or whose weights something else needs. */
const others: Readonly<Record<string, string>> = {
  'the weights are read elsewhere': `${heads}
    let attention = softmax(matmul(q, k))
    return rearrange(matmul(attention, v) * mean(attention, "b h n m -> b h n 1"), "b h n d -> b n (h d)")`,
  'the scores are read elsewhere': `${heads}
    let score = matmul(q, k)
    return rearrange(matmul(softmax(score), v) * mean(score, "b h n m -> b h n 1"), "b h n d -> b n (h d)")`,
  'the softmax is over queries': `${heads}
    let attention = softmax(matmul(q, k), "b h * m")
${result}`,
  'the factor differs between scores': `${heads}
    let attention = softmax(matmul(q, k) * rearrange(mean(y, "b m c -> b m"), "b m -> b 1 1 m"))
${result}`,
  'the scores are multiplied behind the sum': `${heads}
    let score = matmul(q, k)
    if mask != none { score *= 0.5 }
    let attention = softmax(score)
${result}`,
  'the query changes between the scores and the product': `${heads}
    let score = matmul(q, k)
    q = 2.0 * q
    return rearrange(matmul(softmax(score), v) + q, "b h n d -> b n (h d)")`,
  'keys have fewer axes': `${heads}
    let attention = softmax(matmul(q, rearrange(y, "b m c -> c (b m)")[0..4, 0..N]))
    return rearrange(matmul(attention, v), "b h n d -> b n (h d)")`,
  'the values have other axes': `    let attention = softmax(matmul(x, rearrange(y, "b n c -> b c n")))
    return mean(matmul(attention, stack([y], "* b n c")), "k b n c -> b n c")`,
  'a condition has another branch': `${heads}
    let score = matmul(q, k)
    if causal { score = score + 1.0 } else { score = score + 2.0 }
    let attention = softmax(score)
${result}`,
};

test.each(Object.entries(others))('equations stay where %s', (_what, lines) => {
  const text = body(lines);
  expect(text).toContain('.softmax(');
  expect(text).not.toContain('scaled_dot_product_attention');
});

test('equations stay where the softmax is the program’s own function', () => {
  const own = 'fn softmax(x: f32[B, H, N, M]) -> f32[B, H, N, M] = 2.0 * x';
  const text = body(`${heads}\n    let attention = softmax(matmul(q, k))\n${result}`, { more: own });
  expect(text).not.toContain('scaled_dot_product_attention');
});
