import type { MessageRow } from '../message-row.ts';

/** Shapes: dims that differ, bounds that are not kept, patterns that do not fit. */
export const shapeMessages = {
  CROB2101: {
    severity: 'error',
    title: 'A dim that nothing binds',
    template: 'no input of {what} has `{name}` as a whole axis, so it cannot be known',
    help: 'a dim is known if it is an axis by itself, as in f32[…, {name}]',
    explanation: `A dim gets its value from an input: an axis whose size is just this dim determines the value. In \`f32[2*N]\`, the value would
have to be found by solving an equation, which may have no solution. Name the whole axis, \`f32[M]\`, and write \`M/2\` instead of \`N\`,
with \`where M % 2 == 0\`; or pass the size as a parameter of type \`dim\`.`,
    example: `fn halves(x: f32[B, 2*N]) -> f32[B, N] = x[:, 0..N]
model Front() {
  input x: f32[B, 8]
  output y = halves(x)
}
`,
  },
  CROB2102: {
    severity: 'error',
    title: 'The wrong number of axes',
    template: '{what} must have {expected}, and has {actual}',
    explanation: `A tensor has more or fewer axes than required, or a list has more or fewer tensors. Axes are never added or removed
implicitly: write \`rearrange(x, "b c -> b c 1 1")\` to add axes, and a reduction such as \`mean(x, "b c h w -> b c")\` or an
index, \`x[:, 0, :]\`, to remove them. An index has one item for each axis.`,
    example: `model Classifier() {
  stem = Conv2d(3, 16, 3, padding = 1)
  input image: f32[3, H, W]
  output maps = stem(image)
}
`,
  },
  CROB2103: {
    severity: 'error',
    title: 'The wrong dtype',
    template: 'cannot {what}: {left} and {right} differ in dtype',
    explanation: `Tensors are never converted from one dtype to another implicitly. Numbers are: in \`x + 1\`, the 1 takes x's dtype.
Convert with \`f32(x)\`, \`i32(x)\` (towards zero) or \`bool(x)\` (not 0). A graph computes with these three dtypes; only inputs can be
\`i64\` or \`u8\`, and must be converted before use.`,
    example: `model Masked() {
  input x: f32[B, T]
  input mask: bool[B, T]
  output y = x * mask
}
`,
  },
  CROB2104: {
    severity: 'error',
    title: 'Dims that differ',
    template: '{what} {left} is not {right}',
    explanation: `Two sizes must be equal but differ, at least for some inputs. The lines below the message show how each shape was computed,
the last step first, and sizes at which the shapes differ: small ones, with a different number for each dim.

If the sizes differ only for some inputs, for example because a stride of 2 rounds an odd height, the message names a condition
under which they agree. Add it as \`where\` to the model or method: callers must then satisfy it, and the built model checks it before
it runs. If the sizes always differ, one of the two shapes is wrong.

An axis of size 1 is broadcast only if it is *proved* to be 1, and shapes are aligned by their last axes: a bias for each channel of
\`[B, C, H, W]\` is \`rearrange(bias, "c -> c 1 1")\`.`,
    example: `model Skip() where 2 <= H, 2 <= W {
  down = Conv2d(3, 3, 2, stride = 2)
  input image: f32[B, 3, H, W]
  let low = down(image)
  let up = repeat(low, "b c h w -> b c (h p) (w q)", p = 2, q = 2)
  output sum = up + image
}
`,
  },
  CROB2105: {
    severity: 'error',
    title: 'Dims not proved equal',
    template: '{what} {left} is not known to be {right}',
    explanation: `Two sizes must be equal. The compiler found neither sizes for which they differ nor a proof that they are always equal: its
arithmetic covers polynomials, floors, minima and maxima, but cannot prove everything about them. An unproved condition is an error,
because otherwise a mistake could go unnoticed until an input triggers it. State the condition as \`where\`, or compute both sizes in
the same way.`,
    example: `fn padded(x: f32[A, B, C]) -> f32[A^5 + 29*A + B^5 + 29*B + C^5 + 29*C] =
  full(0.0, [30 * floor((A^5 + 29*A + B^5 + 29*B + C^5 + 29*C) / 30)])
`,
  },
  CROB2106: {
    severity: 'error',
    title: 'A bound not proved',
    template: '{what}: {clause} is not known to hold',
    explanation: `A slice, a padding, a table lookup or a size must satisfy a bound. The compiler found neither sizes that violate it nor a proof
that none do, which is an error. State the bound as \`where\`: callers must then satisfy it, and the built model checks it before it
runs.`,
    example: `fn part(x: f32[A, B]) -> f32[A*B] = full(0.0, [A^2 + B^2])[0..A*B]
`,
  },
  CROB2107: {
    severity: 'error',
    title: 'A division that may leave a remainder',
    template: '{left} / {right} is not known to be exact',
    explanation: `\`/\` between sizes must be exact. Write the rounding that you mean, \`floor(H/2)\` or \`ceil(H/2)\`, or state \`where H % 2 == 0\`, which
callers must then satisfy. Implicit rounding is a common reason why skip connections differ by one pixel.`,
    example: `model Half() {
  input image: f32[B, 3, H, W]
  output top = image[:, :, 0..H/2, :]
}
`,
  },
  CROB2108: {
    severity: 'error',
    title: 'A `where` that does not hold',
    template: 'this call of {callee} breaks `where {clause}`',
    explanation: `The method or function states a condition on its arguments, which is false for some inputs of the caller. Either state the condition
as \`where\` of the caller too, or make it true, for example by padding to a multiple: \`pad(x, "b c h w", h = (0, -H % 32))\`.`,
    example: `fn halve(x: f32[B, N]) -> f32[B, N/2] where N % 2 == 0 = x[:, 0..N/2]
model Front() {
  input x: f32[B, N]
  output y = halve(x)
}
`,
  },
  CROB2109: {
    severity: 'error',
    title: 'A `where` not proved',
    template: 'cannot prove that this call of {callee} keeps `where {clause}`',
    explanation: `The method or function states a condition on its arguments. The compiler found neither sizes that violate it nor a proof that
none do, which is an error. State the condition as \`where\` of the caller too.`,
    example: `fn apart(x: f32[A, B]) -> f32[A, B] where A*B <= A^2 + B^2 = x
model Rare() {
  input x: f32[A, B]
  output y = apart(x)
}
`,
  },
  CROB2111: {
    severity: 'error',
    title: 'A bound that does not hold',
    template: '{what}: {clause} {fails}',
    explanation: `A slice, a padding, a table lookup or a size must satisfy a bound, and there are inputs that violate it. Slices must lie within
their axis and not be empty, paddings are 0 or more, every size is 1 or more, and a position table of 512 rows has no row for the 513th
word. If only some inputs violate the bound, state it as \`where\`, such as \`where T <= 512\`. Indices count from the start: there is
no \`x[-1]\`.`,
    example: `module Positions(dim: int) {
  param table: f32[512, dim] ~ normal(std = 0.02)
  forward(x: f32[B, T, dim]) -> f32[B, T, dim] {
    return x + table[0..T, :]
  }
}
example Positions(8)
`,
  },
  CROB2112: {
    severity: 'error',
    title: 'A pattern that cannot be read',
    template: '{what}: {reason}',
    explanation: `A pattern is a list of axis names, separated by spaces. \`rearrange\`, \`repeat\` and reductions have an arrow,
\`"b c h w -> b h w c"\`; \`einsum\` has commas between its operands; \`concat\`, \`split\` and \`softmax\` mark one axis with a
star, \`"b * d"\`. \`(h p)\` is a group: two names that share one axis. \`...\` stands for any axes, once. Sizes are given by
keyword, \`p = 4\`; the only number is 1.`,
    example: `model Join() {
  input a: f32[B, 8]
  input b: f32[B, 8]
  output c = concat([a, b], "b n")
}
`,
  },
  CROB2113: {
    severity: 'error',
    title: 'A pattern of the wrong rank',
    template: '{what}: {reason}',
    explanation: `A pattern names every axis of the tensor, in order, and this one names more or fewer than the tensor has. Use \`...\`
for axes that stay as they are: \`rearrange(x, "... c -> ... 1 c")\`.`,
    example: `model Last() {
  input image: f32[B, 3, H, W]
  output y = rearrange(image, "b c n -> b n c")
}
`,
  },
  CROB2114: {
    severity: 'error',
    title: 'Names of a pattern',
    template: '{what}: {reason}',
    explanation: `The names on both sides of a pattern must correspond. \`rearrange\` has the same names on both sides, \`repeat\` can have new names with given
sizes on the right, and a reduction leaves names out. No name occurs twice on a side. In a group, at most one size can be unknown:
\`"b (h p) -> b h p"\` needs \`p = 4\`, from which the size of h follows.`,
    example: `model Fold() {
  input x: f32[B, N]
  output y = rearrange(x, "b (h p) -> b h p")
}
`,
  },
  CROB2115: {
    severity: 'error',
    title: 'An operator refuses its arguments',
    template: '{op} refuses its arguments: {constraint}',
    explanation: `The operator is not defined for these arguments: a dtype is wrong, or there are too few axes, for example. The message quotes the condition
of the operator, and the lines below show the arguments and where they come from.`,
    example: `model Product() {
  input x: i32[B, 8]
  output y = exp(x)
}
`,
  },
  CROB2116: {
    severity: 'error',
    title: 'Unknown dim',
    template: 'there is no dim `{name}` here',
    explanation: `A name that begins with an upper-case letter is a dim, or a module where something is constructed. Only the inputs of a model, method or function introduce dims, so that a misspelt dim is an error and not a new dim. The result, the
\`where\` and the body can only use these dims.`,
    example: `fn twice(x: f32[B, N]) -> f32[B, N] = concat([x, x], "b *")[:, 0..M]
model Front() {
  input x: f32[B, 8]
  output y = twice(x)
}
`,
  },
  CROB2117: {
    severity: 'error',
    title: 'A method that breaks its interface',
    template: '`{name}` does not fill `{interface}`: {method}: {reason}',
    explanation: `Callers of a module in a slot know only its interface. The methods of the module must therefore accept everything that the interface allows,
without further conditions, and return the declared shapes. A \`where\` of the method must follow from the \`where\` of the interface.`,
    example: `interface Encoder(dim: int) {
  forward(x: f32[B, T, dim]) -> f32[B, T, dim]
}
module Mean(dim: int): Encoder {
  forward(x: f32[B, T, dim]) -> f32[B, dim] {
    return mean(x, "b t d -> b d")
  }
}
example Mean(8)
`,
  },
  CROB2118: {
    severity: 'error',
    title: 'A weight of unknown size',
    template: 'the weight `{name}` has the symbolic size {dim}',
    help: 'sizes of weights are made of static parameters',
    explanation: `Weights exist before any input does, so their sizes are made of static parameters: \`f32[outputs, inputs]\`, never
\`f32[H, W]\`. A learned map that fits any image is a weight of fixed size that is resized, or a function of positions.`,
    example: `module Bias() {
  param weight: f32[1, W] ~ zeros
  forward(x: f32[B, W]) -> f32[B, W] {
    return x + weight
  }
}
example Bias()
`,
  },
  CROB2119: {
    severity: 'error',
    title: 'Conditions that contradict each other',
    template: 'no sizes keep this condition: `{clause}`',
    explanation: `A \`where\` restricts sizes. Together with the conditions before it, and because sizes are 1 or more, this one leaves no sizes at all:
nothing could ever run, and every statement about sizes could be proved.`,
    example: `model Scores where B % 2 == 0, B == 7 {
  input x: f32[B, 8]
  output y = x + 1.0
}
`,
  },
  CROB2120: {
    severity: 'error',
    title: 'A size below 1',
    template: '{what} is {size}, and a size is at least 1',
    explanation: `A tensor has no axis of size 0. To leave something out, use a part that is \`none\`, an empty list of parts, or an optional tensor. A
negative size usually comes from a difference whose operands are swapped.`,
    example: `model Small(classes: int = 0) {
  head = Linear(64, 10)
  input features: f32[B, 64]
  output logits: f32[B, classes] = head(features)
}
`,
  },
  CROB2121: {
    severity: 'error',
    title: 'An index out of range',
    template: 'the index `{index}` reaches {at}: the rows are 0 to {last}',
    explanation: `\`gather\`, \`scatter_add\` and \`table[index]\` number rows from 0; a negative number does not count from the end.
Here, an element of the index is out of range whatever the values of the inputs. If this happens only for some sizes, exclude them with a
\`where\`. An index that depends on the values of inputs is checked when the model runs.`,
    example: `model Neighbours {
  input x: f32[3, 2]
  output y = gather(x, iota(3) - 1)
}
`,
  },
  CROB2122: {
    severity: 'error',
    title: 'An axis by its number',
    template: '{what} takes axes by their names in a pattern, and not by a number',
    explanation: `Axes are named: \`mean(x, "b c h w -> b c")\` is the mean over \`h\` and \`w\`, \`concat([a, b], "b * d")\` joins along the starred axis.
A pattern is readable without its context, and a wrong number of axes is an error.`,
    example: 'fn pooled(x: f32[B, C]) -> f32[B] = mean(x, 1)\n',
  },
  CROB2123: {
    severity: 'error',
    title: 'A tensor changed in place',
    template: '`{target}` is a part of a tensor, and tensors are never changed',
    explanation: `An assignment can bind a name to another tensor, \`x = …\`, or replace an item of a local list, \`xs[i] = …\`, but the elements of a tensor
cannot be changed. Instead, \`select(mask, a, b)\` chooses element by element, \`concat\` joins parts, and
\`tensor bool[i in N] { i == 0 }\` is a mask of one position.`,
    example: `fn cleared(x: f32[B, C]) -> f32[B, C] {
  x[:, 0] = 0.0
  return x
}
`,
  },
} as const satisfies Record<string, MessageRow>;
