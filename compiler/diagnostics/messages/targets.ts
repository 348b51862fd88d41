import type { MessageRow } from '../message-row.ts';

/** Of `crobc build` for targets that cannot express everything. */
export const targetMessages = {
  CROB2501: {
    severity: 'error',
    title: 'Not in PyTorch',
    template: 'a PyTorch module cannot {what}',
    explanation: `\`crobc build --target torch\` writes a class for each module and a function for each function of the source, with their parameters.
A few constructions have no such form: a line of a variant for one item of a list of parts, for the inside of what a slot constructs, or
with a value that exists only in the model; a name of a pattern beside \`...\` where the number of axes decides; an argument of a
pattern that is no literal. Nothing is written then. Give the part as a whole, or write the axes out.`,
    example: `module Stage(dim: int, width: int = dim) {
  fc = Linear(dim, width)
  back = Linear(width, dim)
  forward(x: f32[B, dim]) -> f32[B, dim] { return x + back(relu(fc(x))) }
}

model Net {
  stages = [Stage(8) for i in 0..3]
  input x: f32[B, 8]
  let first = stages[0](x)
  output y = stages[2](stages[1](first))
}

model Wider extends Net {
  stages[1].width = 16
}
`,
    torch: 'Wider',
  },
} as const satisfies Record<string, MessageRow>;
