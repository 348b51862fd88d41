import type { MessageRow } from '../message-row.ts';

/** What runs while a model is built: parameters, loops, decisions, modules and functions. */
export const staticMessages = {
  CROB2201: {
    severity: 'error',
    title: 'The wrong type',
    template: 'wanted {expected}, and this is {actual}',
    explanation: `A value has another type than expected. An \`int\` is accepted where a \`float\` is expected; there are no other conversions. A slot
whose type is an interface accepts modules that declare this interface: \`module PWAM(…): Fusion\`.`,
    example: `model Classifier() {
  head = Linear(64, "10")
  input features: f32[B, 64]
  output logits = head(features)
}
`,
  },
  CROB2202: {
    severity: 'error',
    title: 'An inexact quotient',
    template: '{left} {op} {right} is not a whole number',
    explanation: `\`/\` between two ints must be exact, because the result is usually a size. For a fraction, make one of them a float: \`1.0/2\`. For an
integer, state the rounding: \`floor(7/2)\` or \`ceil(7/2)\`. Powers of ints have exponents of 0 or more; \`2.0^-1\` is a float.`,
    example: `module Halved(dim: int = 7) {
  static half = dim / 2
  forward(x: f32[B, dim]) -> f32[B, dim] {
    return x
  }
}
`,
  },
  CROB2203: {
    severity: 'error',
    title: 'A decision over a symbolic dim',
    template: '{dim} is not known before the model runs, so nothing can be decided by it',
    explanation: `\`if\`, \`for\` and \`==\` are evaluated while the graph is built. A dim such as H is only known when the model runs, and the same graph
is used for all sizes. Compute with sizes instead: \`pad(x, "b c h w", h = (0, -H % 32))\` pads by 0 if H is a multiple already. Or bind the
dim for the build, \`--set H=480\`, or state \`where H == 480\`.`,
    example: `fn even(x: f32[B, N]) -> f32[B, N] {
  if N == 2 {
    return x
  }
  return 2.0 * x
}
model Front() {
  input x: f32[B, N]
  output y = even(x)
}
`,
  },
  CROB2204: {
    severity: 'error',
    title: 'A loop too long',
    template: 'this runs {count} times, and {limit} is the most',
    explanation: `Loops are unrolled into the graph, so each iteration adds nodes. Instead of a loop over samples or pixels, use operators on the whole
axis.`,
    example: `module Long() {
  forward(x: f32[N]) -> f32[N] {
    for i in 0..1000000 {
      x = x + 1.0
    }
    return x
  }
}
`,
  },
  CROB2205: {
    severity: 'error',
    title: 'A module that contains itself',
    template: '`{name}` contains itself',
    explanation: `Constructing the module constructs the same module again, without end. For a stack of blocks, use a list:
\`blocks = [Block(dim) for i in 0..depth]\`.`,
    example: `module Nested(dim: int) {
  inner = Nested(dim)
  forward(x: f32[B, dim]) -> f32[B, dim] {
    return inner(x)
  }
}
example Nested(8)
`,
  },
  CROB2206: {
    severity: 'error',
    title: 'A function that calls itself',
    template: '`{name}` calls itself without end',
    explanation: `Functions and methods are expanded where they are called, so the expansion of a function that calls itself with the same static arguments
would never end. Use a \`for\` over a static range.`,
    example: `fn smooth(x: f32[N]) -> f32[N] = smooth(0.5 * x)
model Front() {
  input x: f32[N]
  output y = smooth(x)
}
`,
  },
  CROB2207: {
    severity: 'error',
    title: 'A `where` of static values does not hold',
    template: '{what} needs {clause}',
    explanation: `A module, function or model states a condition on its parameters, which the values here violate. The lines below show the values. The
condition is checked after the overrides of a variant are applied, so changing one parameter can violate a condition on another.`,
    example: `model Encoder() {
  attention = SelfAttention(dim = 64, heads = 6)
  input x: f32[B, N, 64]
  output y = attention(x)
}
`,
  },
  CROB2208: {
    severity: 'error',
    title: 'A tensor where only static values may stand',
    template: '{what} is only known when the model runs',
    explanation: `Parameters, statics, conditions and initialisers are evaluated while the graph is built, when tensors have no values yet.
A choice that depends on a tensor is made element by element with \`select(mask, a, b)\`, which computes both sides.`,
    example: `fn clipped(x: f32[N]) -> f32[N] {
  if x < 0.0 {
    return 0.0 * x
  }
  return x
}
model Front() {
  input x: f32[N]
  output y = clipped(x)
}
`,
  },
  CROB2209: {
    severity: 'error',
    title: 'An index out of range',
    template: 'there is no {noun} {index} among {length}',
    explanation: `Indices of lists and axes count from 0, so the last of four items is 3. Negative indices do not count from the end: write
\`xs[len(xs) - 1]\`.`,
    example: `module Last(channels: list[int] = [64, 128]) {
  part = Linear(channels[2], 8)
  forward(x: f32[B, 128]) -> f32[B, 8] {
    return part(x)
  }
}
`,
  },
  CROB2210: {
    severity: 'error',
    title: 'A module called where it is constructed',
    template: '`{name}` is constructed and applied in one place, so its weights would have no path',
    help: 'name it in a declaration, `part = {name}(…)`, and apply `part`',
    explanation: `Weights are stored under the path of their module, \`encoder.norm.weight\`, and the path is made of the names of fields.
A module is therefore constructed in a declaration, \`norm = LayerNorm(64)\`, and called in a method or in the body of a model,
\`norm(x)\`. For something without weights, use a function.`,
    example: `model Classifier() {
  input features: f32[B, 64]
  output logits = Linear(64, 10)(features)
}
`,
  },
  CROB2211: {
    severity: 'error',
    title: 'Not something to call',
    template: '{what} cannot be called',
    explanation: `Parentheses after a value call it, and only modules, methods and functions can be called. There is no implicit
multiplication: write \`2 * (a + b)\`.`,
    example: `module Scale(factor: float = 2.0) {
  forward(x: f32[N]) -> f32[N] {
    return factor(x)
  }
}
`,
  },
  CROB2213: {
    severity: 'error',
    title: 'No result',
    template: '{name} ends without giving a result',
    help: 'end with `return …`',
    explanation: `A method or function declares a result, but its body ends without one. Every path through the body must end with \`return\`. An
expression on the last line is a result only in a block that is used as a value, as in \`if … { a } else { b }\`.`,
    example: `module Twice() {
  forward(x: f32[N]) -> f32[N] {
    let y = 2.0 * x
  }
}
`,
  },
  CROB2215: {
    severity: 'error',
    title: 'An update outside training',
    template: '`{name}` is updated where `training` is false',
    help: 'put the update under `if training`',
    explanation: `\`buffer <- value\` is part of a training step only: in inference a model has no state, and the same input gives the same
output. \`training\` is known while the graph is built, so the branch costs nothing.`,
    example: `module Count() {
  buffer seen: f32[1] = zeros
  forward(x: f32[N]) -> f32[N] {
    seen <- seen + 1.0
    return x
  }
}
`,
  },
  CROB2216: {
    severity: 'error',
    title: 'An operator that does not apply',
    template: '`{op}` does not apply to {left} and {right}',
    explanation: `The operator is not defined for values of these kinds. Arithmetic works on numbers, dims and tensors, and \`+\` also joins lists and
strings. A dim can only be divided by a static int of 1 or more, also with \`%\`, and its exponent must be static.`,
    example: `module Named(name: string = "a") {
  static longer = name * 3
  forward(x: f32[N]) -> f32[N] {
    return x
  }
}
`,
  },
  CROB2217: {
    severity: 'error',
    title: 'Not an initialiser',
    template: '{name} is not an initialiser',
    explanation: `\`~\` is followed by the initialiser of a weight: \`zeros\`, \`ones\`, \`constant(0.5)\`, \`normal(std = 0.02)\`, \`trunc_normal(std = 0.02)\`,
\`uniform(…)\` and their like, or a parameter of type \`init\`.`,
    example: `module Scale(dim: int = 8) {
  param weight: f32[dim] ~ 1.0
  forward(x: f32[B, dim]) -> f32[B, dim] {
    return x * weight
  }
}
`,
  },
  CROB2218: {
    severity: 'error',
    title: 'A promise not kept',
    template: '`{name}` does not fill `{interface}`: it lacks {missing}',
    explanation: `A module that implements an interface must have all parameters of the interface (the module with the slot passes their values), all of its
statics, and all of its methods except those for which the interface has a body.`,
    example: `interface Encoder {
  static dim: int
  forward(x: f32[B, T, dim]) -> f32[B, T, dim]
}
module Same(): Encoder {
  forward(x: f32[B, T, 8]) -> f32[B, T, 8] {
    return x
  }
}
example Same()
`,
  },
  CROB2219: {
    severity: 'error',
    title: 'A result type is missing',
    template: '{name} takes tensors, so its result type must be declared',
    explanation: `Callers are checked against the signature only, so that a mistake in a body is reported once, in the body, and not at every call.
A function or method that takes or returns tensors must therefore declare its result: \`fn f(x: f32[N]) -> f32[N] = …\`. Functions of static
values can omit it.`,
    example: `fn twice(x: f32[N]) = 2.0 * x
model Front() {
  input x: f32[N]
  output y = twice(x)
}
`,
  },
  CROB2220: {
    severity: 'error',
    title: 'An elaboration too long',
    template: 'this program takes more than {limit} steps to elaborate',
    explanation: `The number of steps is limited so that elaboration always ends; nested loops have taken more steps than any model needs. For a large
table, use a tensor, \`tensor f32[i in N, j in M] { … }\`, not a list.`,
    example: `fn count() {
  let n = 0
  for i in 0..4000 {
    for j in 0..4000 {
      n = n + j
    }
  }
  return n
}
module Long(n: int = count()) {
  forward(x: f32[N]) -> f32[N] {
    return x
  }
}
`,
  },
  CROB2222: {
    severity: 'error',
    title: 'Unknown type',
    template: 'there is no type `{name}`',
    explanation: `Types of static parameters are \`int\`, \`float\`, \`bool\`, \`string\`, \`dim\`, \`function\`, \`init\`, lists of them (\`list[int]\`,
\`int[4]\`), and the names of modules and interfaces. Tensors are \`f32\`, \`i32\` or \`bool\` with their axes in brackets; inputs of
a model may also be \`i64\` or \`u8\`.`,
    example: `module Wide(width: integer = 8) {
  forward(x: f32[N]) -> f32[N] {
    return x
  }
}
`,
  },
  CROB2223: {
    severity: 'error',
    title: 'A message of the library',
    template: '{message}',
    explanation: `A module or function of the library refused its arguments with \`refuse("…")\`. It uses its own message where a \`where\` would not be clear
enough; see its documentation.`,
    example: `module Pooled(mode: string = "median") {
  static known = if mode == "mean" { true } else { refuse("mode is \\"mean\\": the others are not written yet") }
  forward(x: f32[N]) -> f32[N] {
    return x
  }
}
`,
  },
  CROB2224: {
    severity: 'error',
    title: 'A number too large',
    template: 'a whole number here is beyond 2^53, or a product of sizes has more than 65,536 terms',
    explanation: `Sizes and ints are exact up to 2^53. A larger number is usually a mistake in an exponent or a product; if you mean a quantity that
need not be exact, write a float, \`1e20\`. A product of sums of sizes is multiplied out, and must have at most 65,536 terms.`,
    example: `module Huge(dim: int = 10) {
  static volume = dim^20
  forward(x: f32[N]) -> f32[N] {
    return x
  }
}
`,
  },
  CROB2225: {
    severity: 'error',
    title: 'Too deep, too long or too large',
    template: '{what} is beyond {limit}',
    explanation: `No model needs this much, so it is probably a mistake, such as a list that doubles in a loop. Split expressions that are nested too deeply
with \`let\` or into functions. The equations of a model nest least if they are in the order of the data flow. For repeated layers, use a
list of modules and a \`for\`.`,
    example: `fn doubled(times: int) {
  let xs = [1]
  for i in 0..times {
    xs = xs + xs
  }
  return xs
}
module Long(xs: list[int] = doubled(40)) {
  forward(x: f32[N]) -> f32[N] {
    return x
  }
}
`,
  },
  CROB2226: {
    severity: 'error',
    title: 'Random numbers outside training',
    template: 'random numbers are drawn where `training` is false',
    help: 'put it under `if training`',
    explanation: `\`uniform\` draws numbers for a training step, from the seed of the run, so that it can be repeated. In inference a model has
no seed: the same input gives the same output. \`training\` is known while the graph is built, so the branch costs nothing.`,
    example: `model Noisy() {
  input x: f32[B, 8]
  output y = x + uniform(x)
}
`,
  },
  CROB2227: {
    severity: 'error',
    title: 'Code after a return',
    template: 'nothing after `return` is run',
    explanation: `A block ends at its \`return\`. Statements after it in the same block would never be checked or run.`,
    example: `fn twice(x: f32[N]) -> f32[N] {
  return 2.0 * x
  let y = x
}
`,
  },
  CROB2240: {
    severity: 'error',
    title: 'A method without a signature',
    template: '`{name}` has no signature, and {reason}',
    explanation: `\`forward { … }\` and \`method name { … }\` take their parameters, with their names, result and \`where\` from the interface that the
module implements, \`module A(…): Interface\`. Exactly one of its interfaces must have the method.`,
    example: `module Twice {
  forward { return x + x }
}
example Twice()
`,
  },
  CROB2241: {
    severity: 'error',
    title: 'A comparison that can never be true',
    template: '`{name}` is never {value}: it is {choices}',
    explanation: `The type of the parameter lists the strings that it can be. A comparison with any other string is always false.`,
    example: `module Attend(over: "rows" | "columns" = "rows") {
  forward(x: f32[B, N, M]) -> f32[B, N, M] {
    return if over == "row" { softmax(x, "b n *") } else { softmax(x, "b * m") }
  }
}
`,
  },
  CROB2242: {
    severity: 'error',
    title: 'A type that contains itself',
    template: 'type `{name}` stands for itself, or for something that contains it',
    explanation:
      'A `type` is a name for another type, so a chain of such names must end at a type that is written out.',
    example: 'type Levels = [Levels for i in 0..4]\n',
  },
  CROB2243: {
    severity: 'error',
    title: 'A `let` with the wrong number of names',
    template: 'this is a list of {items}, and it is given {names} names',
    explanation: `\`let (a, b) = xs\` names each item of a list, so there must be as many names as items. To take only some items, write \`xs[1]\` or
\`xs[1..3]\`. Items of a named tuple can be left out.`,
    example: `fn ends(x: f32[B, 4]) -> f32[B, 1] {
  let (first, last) = split(x, "b *", [1, 2, 1])
  return first + last
}
`,
  },
} as const satisfies Record<string, MessageRow>;
