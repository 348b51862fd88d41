import type { MessageRow } from '../message-row.ts';

const accept = 'if this is meant, `crobc check --update-lock` accepts it';

/** Of `crobc check --lock`. */
export const lockMessages = {
  CROB2401: {
    severity: 'error',
    title: 'A model differs from the lock',
    template: '{model} is not as in {lock}',
    help: accept,
    explanation: `A lock file has the signature, the graph hash, the number of parameters and the FLOP of each model, and a hash of each of its parts.
\`crobc check --lock\` compares the models with it, so that a change which was not meant to reach a model is found, for instance one in a
part that several models share. The message lists what differs; \`crobc diff --base\` shows more. A change that leaves the graph as it is,
such as a \`let\` with another name, is no difference.`,
    example: `module Gate(dim: int) {
  fc = Linear(dim, dim)
  forward(x: f32[B, dim]) -> f32[B, dim] { return x * sigmoid(fc(x)) }
}

model Net {
  gate = Gate(8)
  input x: f32[B, 8]
  output y = gate(x)
}
`,
    lock: `crob.lock 1
# Written by crobc check --update-lock.

model Net in example.crob
  graph d621270d89e984d140067e211d2026622405fe6a95cb5bac2f3a7db7306b6214
  parameters 72
  flop 144*B
  input x f32[B, 8]
  output y f32[B, 8]
  part . model 0 60dc495e4fdb2018
  part gate Gate 72 2f5371f4cb72abff
  part gate.fc Linear 72 fd557bd3cf92e959
`,
  },
  CROB2402: {
    severity: 'error',
    title: 'A model is not in the lock',
    template: '{lock} has no model {model}',
    help: 'if it is new, `crobc check --update-lock` adds it',
    explanation: `\`crobc check --lock\` requires that every checked model is in the lock file, because a model that is not there could change without
being noticed.`,
    example: `model Net {
  fc = Linear(8, 8)
  input x: f32[B, 8]
  output y = fc(x)
}
`,
    lock: 'crob.lock 1\n',
  },
  CROB2403: {
    severity: 'error',
    title: 'A locked model is gone',
    template: '{file} no longer has the model {model}',
    help: accept,
    explanation: `The lock file has a model that its source no longer declares, or whose source does not exist. Sources that exist and are not among
the checked files are left alone.`,
    example: `fn twice(x: f32[B]) -> f32[B] = 2.0 * x
`,
    lock: `crob.lock 1

model Old in example.crob
  graph 6b0c7a4f4d0ad56ce6ab7b6b5b1f2b4a9e1f0d3c2b1a09f8e7d6c5b4a3928170
  parameters 72
  flop 136*B
`,
  },
} as const satisfies Record<string, MessageRow>;
