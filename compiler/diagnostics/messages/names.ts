import type { MessageRow } from '../message-row.ts';

/** Names that lead nowhere, or to the wrong thing. */
export const nameMessages = {
  CROB2001: {
    severity: 'error',
    title: 'Unknown name',
    template: 'there is no `{name}` here',
    explanation: `Nothing of this name can be seen from here: no local \`let\`, no parameter, field or method of the module or
model, no declaration of the file, no name imported with \`use\`, and none that every file sees.

Names are never made by using them. A \`let\` is seen below its line and inside its block only; in a model the order
does not matter. Most often this is a spelling mistake, or a \`use std.….{Name}\` is missing.`,
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
    explanation: `The file exists and does not declare this name. What a file imports itself is not passed on: import each name
from the file that declares it.`,
    example: `use std.backbone.{SwinHuge}
`,
  },
  CROB2003: {
    severity: 'error',
    title: 'File not found',
    template: 'there is no file for `use {path}`: {file}',
    help: '`use std.x` is a file of the library; `use a.b` is `a/b.crob` beside the file that uses it',
    explanation: `A \`use\` names a file: \`use std.norm\` the library's, \`use layers.block\` the file \`layers/block.crob\` below the
folder of the file that says \`use\`. \`use models.crobim\` is a model that ships with crobc, unless there is a \`models/crobim.crob\`
in that folder, which is then the one. There is no other search path. The names of a missing file are not complained of again
where they are used.`,
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
    explanation: `What stands before the dot has no member of this name. Modules have parameters, statics, submodules and methods;
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
    explanation: `The name exists and means something that cannot stand here: a model where a value is wanted, a module where a model
is extended, a module where an interface is filled. Models are entry points and are never parts of other models; what
two models share is a module.`,
    example: `model Bigger extends Linear {
}
`,
  },
  CROB2009: {
    severity: 'error',
    title: 'Unknown parameter',
    template: '{callee} has no parameter `{name}`',
    explanation: `An argument is given by a name that the module, method or function does not have. Arguments without a name go to the
parameters in order. Spellings follow the library, not PyTorch: \`Linear(inputs, outputs)\`, \`Conv2d(…, padding = 1)\`.`,
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
    explanation: `A parameter without a default is not given. Only the filling of a slot may leave parameters open, and only those that
the slot's interface says the host will fill.`,
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
    explanation: `More arguments are given than there are parameters. Tensors are handed to methods and sizes to modules: a module is
constructed in a declaration, \`norm = LayerNorm(64)\`, and applied in a body, \`norm(x)\`.`,
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
    explanation: `The same parameter gets two values: by name twice, or once by its position and once by its name. Which one is meant
cannot be known, so neither is taken.`,
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
    explanation: `A module's body is checked for each set of static parameters with which it is constructed. One whose parameters have no
defaults has to be constructed somewhere in the files that are checked: by a model, by another module that is, or by an
\`example\`. This is a warning: everything else is right, and builds. It is given only where there are no errors.`,
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
    help: 'give one of them another `@path`, or construct it once and hand it to both',
    explanation: `The path of a weight is its name in files, so every weight has one of its own. Two with the same path would be one tensor
in a file, and one of them would be lost. Parts that are meant to share weights are one instance: a module that is named
where it is used, and not constructed again.`,
    example: `module Twice() {
  @path("shared") first = Linear(8, 8)
  @path("shared") second = Linear(8, 8)
  forward(x: f32[B, 8]) -> f32[B, 8] {
    return second(first(x))
  }
}
`,
  },
} as const satisfies Record<string, MessageRow>;
