import type { MessageRow } from '../message-row.ts';

/** Models and their variants, recipes, and maps of published weights. */
export const variantMessages = {
  CROB2301: {
    severity: 'error',
    title: 'Nothing to override',
    template: '{what} has no parameter or part `{name}`',
    explanation: `A variant changes a parameter, a part, or a parameter of a part: \`mid.layers = 3\`, \`backbone.layers[2].window = 6\`. The path must exist: an override without effect would otherwise go unnoticed. Weights are not set in a model: their initialisers are
parameters of their module, and their values come from checkpoints.`,
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
    explanation: `A model sets the same part, parameter, input, \`let\` or output twice. The order of lines in a model has no meaning, so neither line
takes precedence.`,
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
      'A chain of `extends` leads back to its start, so no model in it is the first that declares the parts.',
    example: `model A extends A {
}
`,
  },
  CROB2304: {
    severity: 'error',
    title: 'A part that nothing uses',
    template: 'no output depends on `{path}`',
    explanation: `The model constructs a part that no output depends on, not even an \`output(train)\`. Its weights would be stored, loaded and decayed
without any effect. Usually a name is misspelt, or a variant replaced the only line that used the part. A use in a \`let\` does not
count if no output depends on the \`let\`. The rule also holds for parts inside a module: a method that an output depends on, in training
or in inference, must call them. If several nested parts are unused, the message names the outermost. Use the part, remove it with
\`without\`, or, in a module, construct it only when it is used: \`norm = if affine { LayerNorm(dim) } else { none }\`.`,
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
    explanation: `The equations of a model, and the parameters and statics of a module, have no order; each is computed from the others. This one
needs its own value. A line of a variant, such as \`mid.layers = lgfa.heads\`, depends on the value of \`lgfa.heads\`, wherever it is set,
and on nothing else in \`lgfa\`. Inside a method, \`x = f(x)\` is allowed, because statements run in order.`,
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
    explanation: `\`without\` removes a part, parameter, input, \`let\` or output of the base model by its name. To change something inside a part, override
its parameters. In a recipe, \`without\` removes a term, \`let\` or input of the recipe that it extends.`,
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
    explanation: `A variant removes a part with \`without\`, but an output still depends on the part through an inherited equation. Replace this equation by
a \`let\` of the same name that does not use the part. An inherited \`let\` that no output depends on is removed together with the part.`,
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
    explanation: `A variant replaces a declaration of its base by declaring the name again, as the same kind of thing: a \`let\` by a \`let\`, an input by
an input. A declaration of another kind would not replace the old one, and nothing would change. To use the name for another kind of
thing, remove the old declaration with \`without\` in the same variant.`,
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
    explanation: `An override selects an item that the list of modules does not have. Items are counted from 0, in the list as it is after the other
overrides of the variant.`,
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
    explanation: `A \`static\` is computed from parameters, so setting it directly could contradict them. Override the parameters that it is computed from.`,
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
    explanation: `The inputs and outputs of a built model share one table of names, so each needs a name of its own. An output that is a list becomes one
output for each tensor, \`maps_0\`, \`maps_1\` and so on, and these names count too.`,
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
    explanation: `A part that is passed by its name is one module used in two places: it has one set of weights and one set of parameters. Override it at
the path where it is declared; the change then applies to both places.`,
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
    explanation: `A line of a model changes something inside a part, but nothing in the model reads the value; an example is \`[*]\` of an empty
list. The model would be the same without the line, so the line is probably a mistake.`,
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
    explanation: `On the right side of a line that replaces a part, the name of the part means the part before the change. Its parameters and statics can be
read: \`mid = MID(layers = mid.layers - 1)\`. The old part itself no longer exists in the model, so it cannot be used inside the new one.
Construct a new module instead.`,
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
    explanation: `Every run of the model must provide each input, even one that has no effect in training or in inference. The model is correct, so
this is only a note. It points at the declaration, or at the name of a variant that no longer reads an input of its base.`,
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
    explanation: `A model declares a \`let\` that no output depends on, in training or in inference. The model would be the same without it. Usually the
name is misspelt, so that a variant adds a new value instead of replacing one. A \`let\` of a base that a variant no longer needs is
removed without a message.`,
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
    explanation: `A part is called, so it is constructed and checked, but no output depends on its results, in training or in inference. Its weights are
then neither in the graph nor in a weights file of the model. The model is correct, and a variant that removes the last reader of a value
often intends this, so it is only a note. It points at the line that causes it, at the name of the variant if several lines cause it
together, or at the declaration of a part that was never read. Weights are named by their paths in weights files. Weights that only
methods without a call mention are not reported.`,
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
    explanation: `A recipe trains these weights, but its terms do not depend on them, or only through operators without a gradient: the index of a
\`top_k\`, a comparison, \`floor\`, \`stop_gradient\`. The weights therefore keep their values, even under weight decay. This may be
intended, so it is only a note; \`fix\` or \`train all except\` declares the intention and removes the note. For a recipe of the model itself,
the note points at the line of the recipe that causes it, or at the name of the recipe; for a variant that inherits the recipe, at the
line of the variant. Weights are named by their paths in weights files. Weights that no output reads have a note of their own.`,
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
    explanation: `The settings of a recipe are a fixed set: \`optimizer\`, \`schedule\`, \`epochs\` or \`steps\`, and
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
    explanation: `A setting or a dim of the recipe has a value of the wrong kind. Optimizers are \`AdamW(lr = …)\` and
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
    explanation: `Groups, \`train\`, \`fix\`, \`eval\` and \`init\` select weights by the path of their modules, \`backbone.layers[0].*\`. A path that selects nothing is refused, because the line would have no effect. So is the path of a part without weights, such as a
\`Dropout\`, except in \`eval\`. Paths use the names in the source, not those in weights files.`,
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
    explanation: `To train, a recipe needs a model, at least one \`term\` of the loss, an \`optimizer\`, \`epochs\` or \`steps\`, and at least one weight that
is trained according to \`train\` and \`fix\`. It can inherit them: \`recipe longer extends paper { epochs = 80 }\`.`,
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
    explanation: `The loss is the sum of the terms, so each term must be a single number: reduce it over all axes, including the batch. Whether by a sum
or by a mean is a choice that the recipe must state.`,
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
    explanation: `The losses of a recipe refer to the inputs and outputs of the model by name. The inputs that the recipe adds, such as the target,
therefore need other names.`,
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
    explanation: `\`start from\` names the recipe whose trained weights a training starts from, and \`crobc train\` then asks for these weights. A recipe
that names itself would have nothing to start from.`,
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
    help: 'the first group that matches a weight counts: put this one first',
    explanation: `Only the first group that matches a weight applies to it, so a group has no effect if an earlier group matches all of its weights. Put the
narrower group first. This is a warning: the recipe trains with the rates of the first group.`,
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
    explanation: `\`train only\` and \`train all except\` choose the weights that are trained; a \`fix\` of the same recipe, or of one that extends it,
freezes some of them. If a \`fix\` freezes nothing, or everything that a path of \`train\` selects, one of the two lines is a mistake.
So is a path whose weights an earlier path has selected already. The same holds for \`eval\`, for the paths that an \`init\` leaves out, and
for a \`group\` of weights that its recipe does not train; if a recipe inherits such a group, \`crobc train\` prints a note. A \`train\`
replaces every \`fix\` and \`train\` that the recipe inherits.`,
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
    explanation: `A weights map has rules \`"published name" -> "name here"\`. \`{i}\` matches one name between dots and can be repeated on the right;
\`{a,b}\` matches one of several names, and \`{c,d}\` on the right gives the replacement of each. The right side can be wrapped in
transforms of the tensor: \`split\`, \`concat\`, \`transpose\`, \`reshape\`, \`resize\`; \`skip\` ignores the tensor. The transforms must give as
many tensors as there are names: \`concat\` makes one tensor of a list, \`split\` a list of one tensor.`,
    example: `weights published for Linear {
  "head.{i}.w" -> "{j}.weight"
}
`,
  },
  CROB2331: {
    severity: 'error',
    title: 'A weights map for something else',
    template: '`{map}` is for {target}, and `{path}` of {model} is neither one, nor part of one, nor has one in it',
    explanation: `A weights map is for one module or model; the names on its right sides are weights of that module or model. \`init … via\` initialises
the parts of this kind.`,
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
    explanation: `Only losses can read an \`output(train)\`. With this recipe, the output has no effect, nor have weights that nothing else reads. Usually a
\`term\` is missing. The model may have the output for another of its recipes, so this is only a note.`,
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
