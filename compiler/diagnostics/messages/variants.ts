import type { MessageRow } from '../message-row.ts';

/** Models and their variants, recipes, and maps of published weights. */
export const variantMessages = {
  CROB2301: {
    severity: 'error',
    title: 'Nothing to override',
    template: '{what} has no parameter or part `{name}`',
    explanation: `A variant changes a parameter, a part, or a parameter of a part: \`mid.layers = 3\`, \`backbone.layers[2].window = 6\`. The
path must lead to something that exists, since an override that changes nothing would pass for one that does. Weights
are not set in a model: their initialisers are parameters of their module, and values come from checkpoints.`,
    example: `model Small(dim: int = 64) {
  head = Linear(dim, 10)
  input features: f32[B, dim]
  output logits = head(features)
}
model Wider extends Small {
  head.output = 20
}
`,
  },
  CROB2302: {
    severity: 'error',
    title: 'Given twice',
    template: '`{path}` is given twice in {model}',
    explanation: `One model gives the same part, parameter, input, \`let\` or output twice. The order of lines has no meaning in a model, so
there is no later one that could win.`,
    example: `model Small() {
  head = Linear(64, 10)
  input features: f32[B, 64]
  output logits = head(features)
}
model Wider extends Small {
  head.bias = false
  head.bias = true
}
`,
  },
  CROB2303: {
    severity: 'error',
    title: 'A model that extends itself',
    template: '`{name}` extends itself',
    explanation:
      'A chain of `extends` leads back to where it began, so there is no first model that declares the parts.',
    example: `model A extends A {
}
`,
  },
  CROB2304: {
    severity: 'error',
    title: 'A part that nothing uses',
    template: 'no output depends on `{path}`',
    explanation: `The model constructs a part that no output depends on, \`output(train)\` included. Its weights would be stored, loaded and
decayed, and do nothing; mostly a name is misspelt, or a variant replaced the one line that used the part. That a \`let\` uses it
does not count when no output needs the \`let\`. A part inside a module counts as well: it is reached when a method that an
output depends on, in training or in inference, calls it. Of parts within parts the outermost is named. Use the part, take it
out with \`without\`, or, in a module, make it only where it is used: \`norm = if affine { LayerNorm(dim) } else { none }\`.`,
    example: `model Classifier() {
  head = Linear(64, 10)
  norm = LayerNorm(64)
  input features: f32[B, 64]
  output logits = head(features)
}
`,
  },
  CROB2305: {
    severity: 'error',
    title: 'A value that depends on itself',
    template: '`{name}` depends on itself',
    explanation: `The equations of a model, and the parameters and statics of a module, have no order, and each is computed from the
others. This one needs its own value. A line of a variant, such as \`mid.layers = lgfa.heads\`, depends on the value of
\`lgfa.heads\`, whichever line gives it, and on nothing else of \`lgfa\`. Inside a method \`x = f(x)\` is fine: there the lines run one after another.`,
    example: `model Loop() {
  input x: f32[N]
  let a = x + b
  let b = 2.0 * a
  output y = b
}
`,
  },
  CROB2306: {
    severity: 'error',
    title: 'Nothing to take out',
    template: '{model} has no `{name}` to take out',
    explanation: `\`without\` takes out a part, parameter, input, \`let\` or output of the base model, by its own name. What is deeper inside is
changed by an override of its parameters. In a recipe it takes out a term, \`let\` or input of what the recipe extends.`,
    example: `model Small() {
  head = Linear(64, 10)
  input features: f32[B, 64]
  output logits = head(features)
}
model Bare extends Small {
  without neck
}
`,
  },
  CROB2307: {
    severity: 'error',
    title: 'A part that was taken out',
    template: '`{name}` is taken out here, and still used',
    explanation: `A variant takes out a part with \`without\`, and an output still depends on it, through an equation that it inherits.
Replace that equation by a \`let\` of the same name that does without. An inherited \`let\` that no output needs goes with the part.`,
    example: `model Small() {
  neck = LayerNorm(64)
  head = Linear(64, 10)
  input features: f32[B, 64]
  output logits = head(neck(features))
}
model Bare extends Small {
  without neck
}
`,
  },
  CROB2308: {
    severity: 'error',
    title: 'A name of another kind',
    template: '`{name}` is {held} of {model}, and {kind} does not replace it',
    explanation: `A variant replaces what its base has by giving the name anew, as the same kind of thing: a \`let\` by a \`let\`, an input by
an input. As another kind it would stand beside what it was meant to replace, and nothing would change. Where something else is
to stand in its place, take the old one out with \`without\`, in the same variant.`,
    example: `model Small() {
  head = Linear(64, 10)
  input features: f32[B, 64]
  let logits = head(features)
  output logits
}
model Bare extends Small {
  let head = features
}
`,
  },
  CROB2309: {
    severity: 'error',
    title: 'A model without outputs',
    template: '`{name}` has no output',
    explanation:
      'A model computes its outputs and nothing else, so it has at least one: `output logits: f32[B, 10] = head(x)`.',
    example: `model Silent() {
  input x: f32[N]
}
`,
  },
  CROB2310: {
    severity: 'error',
    title: 'An index beyond the list',
    template: 'there is no item [{index}]: the list has {length}',
    explanation: `An override selects one of a list of modules that has fewer. They are counted from 0, in the order of the list after the
variant's other overrides.`,
    example: `model Deep(depth: int = 2) {
  layers = [Linear(8, 8) for i in 0..depth]
  input x: f32[B, 8]
  output y = layers[1](layers[0](x))
}
model Changed extends Deep {
  layers[2].bias = false
}
`,
  },
  CROB2311: {
    severity: 'error',
    title: 'A value that is derived',
    template: '`{name}` of {what} follows from its parameters and cannot be set',
    explanation: `Parameters can be overridden, and whatever follows from them follows. A \`static\` is such a consequence: setting it alone
would contradict what it was computed from. Override the parameters that it is made of.`,
    example: `module Wide(dim: int) {
  static hidden = 4 * dim
  mlp = Mlp(dim, hidden)
  forward(x: f32[B, dim]) -> f32[B, dim] {
    return mlp(x)
  }
}
model Small() {
  wide = Wide(8)
  input x: f32[B, 8]
  output y = wide(x)
}
model Wider extends Small {
  wide.hidden = 64
}
`,
  },
  CROB2312: {
    severity: 'error',
    title: 'Two values of one name',
    template: '{model} gives two of its inputs and outputs the name `{name}`',
    explanation: `Where the model runs, its inputs and outputs are in one table by name, so each has a name of its own. An output that is a list
becomes one output for each of its tensors, \`maps_0\`, \`maps_1\` and so on, and these names count too.`,
    example: `model Scores() {
  input x: f32[B, 8]
  output y = [x, x + 1.0]
  output y_1 = x * 2.0
}
`,
  },
  CROB2313: {
    severity: 'error',
    title: 'A shared part',
    template: '`{path}` is the shared part `{owner}`, and is not changed here',
    explanation: `A part that was handed on by its name is one module in two places: it has one set of weights, and one set of parameters.
So an override names it where it is made, and holds in both places.`,
    example: `module Tied(projection: Linear) {
  forward(x: f32[B, 8]) -> f32[B, 8] {
    return projection(projection(x))
  }
}
model Small() {
  inner = Linear(8, 8)
  tied = Tied(inner)
  input x: f32[B, 8]
  output y = tied(x)
}
model Changed extends Small {
  tied.projection.bias = false
}
`,
  },
  CROB2314: {
    severity: 'error',
    title: 'An override without effect',
    template: 'the model does not depend on the value of `{path}`',
    explanation: `A line of a model changes something inside a part, and no module that the model constructs asks for the value: \`[*]\` of
a list without items, for example. The model would be the same without the line, so the line is not what was meant.`,
    example: `module Stack(dim: int, depth: int = 0) {
  layer = [Linear(dim, dim) for i in 0..depth]
  forward(x: f32[B, dim]) -> f32[B, dim] {
    for l in layer {
      x = l(x)
    }
    return x
  }
}
model Small {
  stack = Stack(8, depth = 1)
  input x: f32[B, 8]
  output y = stack(x)
}
model Flat extends Small {
  stack.depth = 0
  stack.layer[*].bias = false
}
`,
  },
  CROB2315: {
    severity: 'error',
    title: 'A part of the base where a new one is needed',
    template: '`{path}` of the base can be read here, but is no part of this model',
    explanation: `On the right side of a line that changes a part, the name of the part means the part before the change, whose parameters and
statics can be read: \`mid = MID(layers = mid.layers - 1)\`. That part itself is replaced, so it cannot stand inside of the new one.
Construct it anew instead.`,
    example: `module Wrapper(inner: Linear) {
  forward(x: f32[B, 8]) -> f32[B, 8] { return inner(x) }
}
model Small {
  layer = Linear(8, 8)
  input x: f32[B, 8]
  output y = layer(x)
}
model Wrapped extends Small {
  layer = Wrapper(layer)
}
`,
  },
  CROB2318: {
    severity: 'note',
    title: 'An input that no output reads',
    template: 'no output depends on the input `{name}`',
    explanation: `Whoever runs the model has to give each of its inputs, those too that change nothing, in training or in inference.
The model is right all the same, so this is a note. It stands at the declaration, or at the name of a variant that no longer reads
an input of its base.`,
    example: `model Small {
  layer = Linear(8, 8)
  input x: f32[B, 8]
  input scale: f32[B, 1]
  output y = layer(x)
}
`,
  },
  CROB2316: {
    severity: 'error',
    title: 'A let that nothing reads',
    template: 'no output depends on the `let` of `{name}`',
    explanation: `A model gives a \`let\` that no output needs, in training or in inference. The model would be the same without it; mostly
the name is misspelt, so that a variant adds a value beside the one that it was to replace. A \`let\` of a base that a variant
no longer needs is left out silently.`,
    example: `model Small {
  layer = Linear(8, 8)
  input x: f32[B, 8]
  let words = layer(x)
  output y = relu(words)
}
model Sharp extends Small {
  let word = 2.0 * layer(x)
}
`,
  },
  CROB2317: {
    severity: 'note',
    title: 'Weights that no output reads',
    template: 'no output reads {weights}{longer}: {count}',
    explanation: `A part is called, so it is constructed and checked, but nothing that it gives leads to an output, in training or in
inference. Its weights are then no part of the graph, nor of a weights file of the model. A variant that leaves out the last reader
of something often means this, so it is a note, and the model is right. It stands at the line without which it would be
otherwise, at the name of the variant when that takes several lines, or where a part is declared that was never read. Weights
are named by their paths in weights files. What only some methods mention, of which none is called, is not reported.`,
    example: `module Towers(dim: int) {
  words = Linear(dim, dim)
  pixels = Linear(dim, dim)

  forward(x: f32[B, dim]) -> (word: f32[B, dim], pixel: f32[B, dim]) {
    return (word = words(x), pixel = pixels(x))
  }
}

model Both {
  towers = Towers(64)
  input x: f32[B, 64]
  let (word, pixel) = towers(x)
  output y = word + pixel
}

model Words extends Both {
  output y = word
}
`,
  },
  CROB2319: {
    severity: 'note',
    title: 'Weights that no term trains',
    template: 'no term of `{recipe}` has a gradient for {weights}{longer}: {count}',
    explanation: `A recipe trains these weights, but its terms do not depend on them, or only by what has no gradient: the index of a
\`top_k\`, a comparison, \`floor\`, \`stop_gradient\`. So they stay as they are, under weight decay too. That may be what is meant, so it
is a note: \`fix\` or \`train all except\` says so, and then there is none. For a recipe of this very model it stands at the line of
the recipe without which it would be otherwise, or at its name; for a variant that inherits its recipe, at the line of the variant.
Weights are named by their paths in weights files. Those that no output reads either have a note of their own.`,
    example: `model Ranked where 2 <= N {
  score = Linear(8, 1)
  value = Linear(8, 8)
  input x: f32[N, 8]
  output best: f32[2, 8] = gather(value(x), top_k(rearrange(score(x), "n 1 -> n"), 2).index)
}
recipe plain for Ranked at N = 16 {
  term size = mean(square(best), "k d ->")
  optimizer = AdamW(lr = 1e-3)
  epochs = 10
}
`,
  },
  CROB2320: {
    severity: 'error',
    title: 'Unknown setting',
    template: 'a recipe has no setting `{name}`',
    explanation: `A recipe says how a model is trained with a fixed set of settings: \`optimizer\`, \`schedule\`, \`epochs\` or \`steps\`, and
others such as \`clip\`, \`ema\` and \`accumulate\`. A \`group\` of weights may have its own \`lr\` and \`weight_decay\`.`,
    example: `model Small() {
  head = Linear(64, 1)
  input features: f32[B, 64]
  output score = head(features)
}
recipe plain for Small at B = 4 {
  term size = mean(score, "b c ->")
  optimizer = AdamW(lr = 1e-3)
  epochs = 10
  dropout = 0.1
}
`,
  },
  CROB2321: {
    severity: 'error',
    title: 'A setting of the wrong kind',
    template: '`{name}` must be {expected}',
    explanation: `A setting, or a dim of the recipe, has a value of another kind than it can use. Optimizers are \`AdamW(lr = …)\` and
\`SGD(lr = …)\`; schedules are chained with \`then\`: \`warmup(1500) then poly(0.9)\`. Dims are whole numbers of 1 or more.`,
    example: `model Small() {
  head = Linear(64, 1)
  input features: f32[B, 64]
  output score = head(features)
}
recipe plain for Small at B = 4 {
  term size = mean(score, "b c ->")
  optimizer = "AdamW"
  epochs = 10
}
`,
  },
  CROB2322: {
    severity: 'error',
    title: 'A path that selects nothing',
    template: '`{path}` selects no weights of {model}',
    explanation: `Groups, \`train\`, \`fix\`, \`eval\` and \`init\` select weights by the path of their modules, \`backbone.layers[0].*\`. A path that selects
nothing would leave a group without effect, so it is refused, and so is one of a part without weights, such as a \`Dropout\`, except in
\`eval\`. Paths follow the names in the source.`,
    example: `model Small() {
  head = Linear(64, 1)
  input features: f32[B, 64]
  output score = head(features)
}
recipe plain for Small at B = 4 {
  term size = mean(score, "b c ->")
  optimizer = AdamW(lr = 1e-3)
  epochs = 10
  fix backbone.*
}
`,
  },
  CROB2323: {
    severity: 'error',
    title: 'A recipe that cannot train',
    template: 'recipe `{name}` has no {missing}',
    explanation: `To train, a recipe needs a model, at least one \`term\` of the loss, an \`optimizer\`, \`epochs\` or \`steps\`, and a weight that
\`train\` and \`fix\` leave to be trained. It may inherit
them: \`recipe longer extends paper { epochs = 80 }\`.`,
    example: `model Small() {
  head = Linear(64, 1)
  input features: f32[B, 64]
  output score = head(features)
}
recipe plain for Small at B = 4 {
  term size = mean(score, "b c ->")
  epochs = 10
}
`,
  },
  CROB2324: {
    severity: 'error',
    title: 'A term that is not a number',
    template: 'the term `{name}` is {actual}, not a number',
    explanation: `The loss is the sum of the recipe's terms, so each is one number: reduce over all axes, the batch too. Whether that is a
sum or a mean is part of the recipe and must be stated.`,
    example: `model Small() {
  head = Linear(64, 1)
  input features: f32[B, 64]
  output score = head(features)
}
recipe plain for Small at B = 4 {
  term size = square(score)
  optimizer = AdamW(lr = 1e-3)
  epochs = 10
}
`,
  },
  CROB2325: {
    severity: 'error',
    title: 'A dim that the recipe does not bind',
    template: 'recipe `{name}` does not say what {dim} is',
    explanation: `A training step is built for one size of batch and input, so the recipe binds every dim of the model:
\`recipe paper for CroBIM at B = 32, H = 480, W = 480, T = 20\`.`,
    example: `model Small() {
  head = Linear(64, 1)
  input features: f32[B, 64]
  output score = head(features)
}
recipe plain for Small {
  term size = mean(score, "b c ->")
  optimizer = AdamW(lr = 1e-3)
  epochs = 10
}
`,
  },
  CROB2326: {
    severity: 'error',
    title: 'A name that the model has already',
    template: '`{name}` is {what} already',
    help: "losses see it as it is; give the recipe's own input another name",
    explanation: `The losses of a recipe see the inputs and outputs of the model by their names. The recipe's own inputs, such as the
target, come beside them and need names of their own.`,
    example: `model Small() {
  head = Linear(64, 1)
  input features: f32[B, 64]
  output score = head(features)
}
recipe plain for Small at B = 4 {
  input score: f32[B, 1]
  term size = mean(score, "b c ->")
  optimizer = AdamW(lr = 1e-3)
  epochs = 10
}
`,
  },
  CROB2327: {
    severity: 'error',
    title: 'A recipe that starts from itself',
    template: '`{name}` starts from its own result',
    help: '`start from` names the recipe of an earlier run',
    explanation: `\`start from\` says which recipe's result a training goes on with, and \`crobc train\` then asks for its weights. A
recipe that names itself has nothing to begin with.`,
    example: `model Small() {
  head = Linear(64, 1)
  input features: f32[B, 64]
  output score = head(features)
}
recipe plain for Small at B = 4 {
  term size = mean(score, "b c ->")
  optimizer = AdamW(lr = 1e-3)
  epochs = 10
  start from plain
}
`,
  },
  CROB2328: {
    severity: 'warning',
    title: 'A group without effect',
    template: '`{path}` selects only weights that a group before it has',
    help: 'the first group that matches a weight counts: put this one in front',
    explanation: `The first group that matches a weight counts for all that it sets, so a group behind one that has all its weights says
nothing. The narrower group belongs in front. This is a warning: the recipe trains, with the rates of the first group.`,
    example: `model Small() {
  head = Linear(64, 1)
  input features: f32[B, 64]
  output score = head(features)
}
recipe plain for Small at B = 4 {
  term size = mean(score, "b c ->")
  optimizer = AdamW(lr = 1e-3)
  epochs = 10
  group head.* { lr = 0.1x }
  group head.bias { weight_decay = 0 }
}
`,
  },
  CROB2329: {
    severity: 'error',
    title: 'Selections of weights that contradict each other',
    template: '`{what}`: {reason}',
    explanation: `\`train only\` and \`train all except\` say which weights are trained; a \`fix\` of the same recipe, or of one that extends
it, takes some of them away. What takes away nothing, or all of what a path trains, is a mistake in one of the two lines, and
so is a path behind another one that has all its weights. The same goes for an \`eval\`, for what an \`init\` leaves out, and for
a \`group\` of weights that its recipe does not train; where a recipe inherits such a group, \`crobc train\` says so in a note. A \`train\` takes the
place of every \`fix\` and \`train\` that the recipe inherits.`,
    example: `model Small() {
  head = Linear(64, 1)
  input features: f32[B, 64]
  output score = head(features)
}
recipe plain for Small at B = 4 {
  term size = mean(score, "b c ->")
  optimizer = AdamW(lr = 1e-3)
  epochs = 10
  train only head.weight
  fix head.bias
}
`,
  },
  CROB2330: {
    severity: 'error',
    title: 'A weights rule that cannot be read',
    template: '{reason}',
    explanation: `A map of weights has rules \`"published name" -> "name here"\`. \`{i}\` stands for one name between dots and may be
repeated on the right; \`{a,b}\` are alternatives, and \`{c,d}\` on the right what stands for each of them. Around the right side may
stand what is done to the tensor: \`split\`, \`concat\`, \`transpose\`, \`reshape\`, \`resize\`; \`skip\` leaves it out. As many tensors
must come out of that as there are names: \`concat\` makes one of a list, \`split\` a list of one.`,
    example: `weights published for Linear {
  "head.{i}.w" -> "{j}.weight"
}
`,
  },
  CROB2331: {
    severity: 'error',
    title: 'A weights map for something else',
    template: '`{map}` is for {target}, and `{path}` of {model} is neither one, nor part of one, nor has one in it',
    explanation: `A weights map is for one module or model, and its names on the right are those of weights in it. \`init … via\` gives
weights to the parts of that kind.`,
    example: `weights published for LayerNorm {
  "gamma" -> "weight"
  "beta" -> "bias"
}

model Net {
  head = Linear(4, 1)
  input x: f32[B, 4]
  output y = head(x)
}

recipe plain for Net at B = 8 {
  input target: f32[B, 1]
  term error = mean(square(y - target), "b c ->")
  optimizer = SGD(lr = 0.1)
  steps = 10
  init head.* from "head.safetensors" via published
}
`,
  },
  CROB2332: {
    severity: 'note',
    title: 'An output for losses that no term reads',
    template: 'no term of `{recipe}` reads `output(train) {name}`',
    explanation: `An \`output(train)\` is there for losses alone. With this recipe it is without effect, and so are the weights that nothing
else reads. Mostly a \`term\` is missing. A model may have such an output for another of its recipes, so it is a note.`,
    example: `model Small {
  stem = Linear(8, 8)
  head = Linear(8, 1)
  side = Linear(8, 1)
  input x: f32[B, 8]
  let features = relu(stem(x))
  output score = head(features)
  output(train) early = side(features)
}
recipe plain for Small at B = 4 {
  term size = mean(score, "b c ->")
  optimizer = AdamW(lr = 1e-3)
  epochs = 10
}
`,
  },
} as const satisfies Record<string, MessageRow>;
