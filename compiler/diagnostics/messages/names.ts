import type { MessageRow } from '../message-row.ts';

/** Names that lead nowhere, or to the wrong thing. */
export const nameMessages = {
  CROB2001: {
    severity: 'error',
    title: 'Unknown name',
    template: 'there is no `{name}` here',
    explanation: `Nothing of this name is visible here: no local \`let\`, no parameter, field or method of the module or model, no declaration of
the file, no name imported with \`use\`, and no name of the prelude.

Using a name never creates it. A \`let\` is visible only below its line and inside its block; in a model the order of lines does
not matter. Most often the name is misspelt, or a \`use std.….{Name}\` is missing.`,
    example: `model Classifier() {
  head = Linear(64, 10)
  input features: f32[B, 64]
  output logits = head(feature)
}
`,
  },
  CROB2002: {
    severity: 'error',
    title: 'Unknown import',
    template: '`{path}` has no `{name}`',
    explanation: `The file exists but does not declare this name. Names that a file imports are not exported again: import each name from
the file that declares it.`,
    example: `use std.backbone.{SwinHuge}
`,
  },
  CROB2003: {
    severity: 'error',
    title: 'File not found',
    template: 'there is no file for `use {path}`: {file}',
    help: '`use std.x` is a file of the library; `use a.b` is `a/b.crob` beside the file that uses it',
    explanation: `A \`use\` names a file: \`use std.norm\` is a file of the library, and \`use layers.block\` is the file \`layers/block.crob\` below
the folder of the file with the \`use\`. \`use models.crobim\` is a model that ships with crobc, unless that folder contains a file
\`models/crobim.crob\`, which takes precedence. There is no other search path. The names of a missing file are not reported again where
they are used.`,
    example: `use layers.blocks.{Block}
`,
  },
  CROB2004: {
    severity: 'error',
    title: 'Declared twice',
    template: '`{name}` is declared twice',
    explanation: `Two declarations of one file, or two members of one module, have the same name. Parameters, statics, weights,
submodules and methods share one name space, because all of them are reached as \`module.name\` and may be part of a
weight's path. Rename one.`,
    example: `fn double(x: f32[N]) -> f32[N] = x + x
fn double(x: f32[N]) -> f32[N] = 2.0 * x
`,
  },
  CROB2005: {
    severity: 'error',
    title: 'Unknown member',
    template: '{what} has no `{name}`',
    explanation: `The value before the dot has no member of this name. Modules have parameters, statics, submodules and methods;
their weights belong to their own methods and cannot be read from outside. A named tuple has the names of its type.
A tensor has no members: crob has functions where PyTorch has methods, \`rearrange(x, "b c -> c b")\` and \`size(x, 0)\`.`,
    example: `model Classifier() {
  head = Linear(64, 10)
  input features: f32[B, 64]
  output logits = head.apply(features)
}
`,
  },
  CROB2008: {
    severity: 'error',
    title: 'The wrong kind of thing',
    template: '`{name}` is a {actual}, where {expected} is wanted',
    explanation: `The name exists, but what it names cannot be used here: for example a model where a value is expected, or a module where a
model or an interface is expected. Models are entry points and never parts of other models; to share something between two models,
write a module.`,
    example: `model Bigger extends Linear {
}
`,
  },
  CROB2009: {
    severity: 'error',
    title: 'Unknown parameter',
    template: '{callee} has no parameter `{name}`',
    explanation: `The module, method or function has no parameter of this name. Arguments without a name are assigned to the parameters in
order. The names of parameters are those of crob's library, not of PyTorch: \`Linear(inputs, outputs)\`, \`Conv2d(…, padding = 1)\`.`,
    example: `model Classifier() {
  head = Linear(64, 10, biass = false)
  input features: f32[B, 64]
  output logits = head(features)
}
`,
  },
  CROB2010: {
    severity: 'error',
    title: 'Missing argument',
    template: '{callee} needs `{name}`',
    explanation: `A parameter without a default has no argument. Only a module in a slot may leave parameters open, and only those that the interface
of the slot declares: their values come from the module that has the slot.`,
    example: `model Classifier() {
  head = Linear(64)
  input features: f32[B, 64]
  output logits = head(features)
}
`,
  },
  CROB2011: {
    severity: 'error',
    title: 'Too many arguments',
    template: '{callee} takes at most {count}, and {given} are given',
    explanation: `There are more arguments than parameters. Modules take sizes and methods take tensors: a module is constructed in a
declaration, \`norm = LayerNorm(64)\`, and called in a body, \`norm(x)\`.`,
    example: `model Sum() {
  input a: f32[B, 8]
  input b: f32[B, 8]
  output c = sigmoid(a, b)
}
`,
  },
  CROB2012: {
    severity: 'error',
    title: 'Argument given twice',
    template: '`{name}` is given twice',
    explanation: `The same parameter gets two values: twice by name, or once by position and once by name.`,
    example: `model Classifier() {
  head = Linear(64, 10, outputs = 12)
  input features: f32[B, 64]
  output logits = head(features)
}
`,
  },
  CROB2013: {
    severity: 'warning',
    title: 'A module that goes unchecked',
    template: 'nothing in these files constructs `{name}`, so its body is not checked',
    help: 'add `example {name}({parameters})` with values',
    explanation: `The body of a module is checked for each set of static parameters with which it is constructed. If its parameters have no defaults, it
must therefore be constructed somewhere in the checked files: by a model, by another module that is constructed, or by an \`example\`.
This is a warning: everything else is correct and can be built. It is only shown if there are no errors.`,
    example: `module Gate(dim: int) {
  inner = Linear(dim, dim)
  forward(x: f32[B, dim]) -> f32[B, dim] { return x * sigmoid(inner(x)) }
}
`,
  },
  CROB2014: {
    severity: 'error',
    title: 'Two weights of one path',
    template: 'two weights go by the path `{path}`',
    help: 'give one of them another `@path`, or construct it once and pass it to both',
    explanation: `The path of a weight is its name in weights files, so every weight needs a path of its own. Two weights with the same path would be one
tensor in a file, and one of them would be lost. To share weights, construct the module once, and pass the part by its name.`,
    example: `module Twice() {
  @path("shared") first = Linear(8, 8)
  @path("shared") second = Linear(8, 8)
  forward(x: f32[B, 8]) -> f32[B, 8] {
    return second(first(x))
  }
}
`,
  },
  CROB2015: {
    severity: 'error',
    title: 'An argument that the owner of the slot passes',
    template: '`{name}` of {module} would be {given} here, but {owner} passes {passed}',
    explanation: `The interface of a slot may have parameters. The module that has the slot passes their values to what is put into it, so they cannot
be chosen there: leave the argument out. Parameters that the interface does not have can be given.`,
    example: `interface Layer(dim: int) {
  forward(x: f32[B, dim]) -> f32[B, dim]
}
module Narrow(dim: int, width: int = 2): Layer {
  down = Linear(dim, width)
  up = Linear(width, dim)
  forward(x: f32[B, dim]) -> f32[B, dim] { return up(down(x)) }
}
module Net(layer: Layer = Narrow) {
  one = layer(dim = 8)
  forward(x: f32[B, 8]) -> f32[B, 8] { return one(x) }
}
model Wide {
  net = Net(layer = Narrow(dim = 16, width = 4))
  input x: f32[B, 8]
  output y = net(x)
}
`,
  },
} as const satisfies Record<string, MessageRow>;
