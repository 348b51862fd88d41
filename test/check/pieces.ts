import fc from 'fast-check';

/** What one place of a file may contain in its life; '' while there is nothing. */
type Piece = readonly string[];

const parts: readonly Piece[] = [
  [
    'interface Row(dim: int) {\n  forward(x: f32[B, dim]) -> f32[B, dim]\n}\n',
    '/// A row.\ninterface Row(dim: int) {\n  forward(x: f32[B, dim]) -> f32[B, dim]\n}\n',
    'interface Row(dim: int) {\n  forward(x: f32[B, dim]) -> f32[B, 2*dim]\n}\n',
  ],
  [
    'type Vector(dim: int) = f32[B, dim]\n',
    'type Vector(dim: int) = f32[B, 2*dim]\n',
    'type Vector(dim: int) = f32[B, dim] | none\n',
    '',
  ],
  [
    'fn twice(n: int) -> int {\n  return 2 * n\n}\n',
    '/// Twice as much.\nfn twice(n: int) -> int = n + n\n',
    'fn twice(n: int) -> int {\n  return 3 * n\n}\n',
    'fn twice(n: int) -> int {\n  return once(n) + once(n)\n}\n',
    'fn thrice(n: int) -> int {\n  return 3 * n\n}\n',
    '',
  ],
  ['fn once(n: int) -> int = n\n', 'fn once(n: int) -> int = n + 1\n', ''],
  [
    'fn applied(layer: Linear, x: f32[B, 8]) -> f32[B, 8] = layer(x)\n',
    'fn applied(layer: Linear, x: f32[B, 8]) -> f32[B, 8] = layer(layer(x))\n',
    'fn applied(layer: Linear, x: f32[B, 8]) -> f32[B, 9] = layer(x)\n',
  ],
  [
    'module Wide(dim: int, by: int = twice(dim)): Row {\n  up = Linear(dim, by)\n  down = Linear(by, dim)\n  forward {\n    return down(up(x))\n  }\n}\n',
    '/// Wide.\nmodule Wide(dim: int, by: int = twice(dim)): Row {\n  up = Linear(dim, by)\n  down = Linear(by, dim)\n  drop = Dropout(0.1)\n  forward {\n    return drop(down(up(x)))\n  }\n}\n',
    'module Wide(dim: int, by: int = 7): Row {\n  @path("above") up = Linear(dim, by)\n  down = Linear(by, dim)\n  forward {\n    return down(relu(up(x)))\n  }\n}\n',
    'module Wide(dim: int, by: int = 7): Row {\n  up = Linear(dim, by)\n  down = Linear(by, dim)\n  forward {\n    return down(x)\n  }\n}\n',
    'module Wide(dim: int) {\n  own = Linear(dim, dim)\n  forward(x: Vector(dim)) -> f32[B, dim] {\n    return applied(own, x)\n  }\n}\n',
    'module Wide(dim: int) {\n  own = Linear(dim, dim)\n  forward(x: f32[B, dim]) -> f32[B, dim] {\n    retrun own(x)\n  }\n}\n',
  ],
  [
    '',
    'module Spare(dim: int = 4) {\n  forward(x: f32[B, dim]) -> f32[B, dim] {\n    return x + x\n  }\n}\n',
    'module Spare(dim: int) {\n  forward(x: f32[B, dim]) -> f32[B, dim] {\n    return x + x\n  }\n}\n',
    'module Linear(dim: int, by: int) {\n  forward(x: f32[B, dim]) -> f32[B, dim] {\n    return x\n  }\n}\n',
  ],
  ['', 'example Wide(4)\n', 'example Wide(8)\nexample Wide(6)\n'],
];

const base: readonly Piece[] = [
  ['use std.norm.{LayerNorm}\n', 'use std.norm.{RMSNorm as LayerNorm}\n', ''],
  [
    'use parts.{Wide, twice, applied}\n',
    'use parts.{Wide, once as twice, twice as once, applied}\n',
    'use parts.{Wide, twice, applied, Spare}\n',
    'use parts.{Wide as Broad, twice, applied}\nuse parts.{Wide}\n',
    'use more.{Other as Wide}\nuse parts.{twice, applied}\n',
    'use parts.{Wide}\n',
  ],
  [
    'model A {\n  wide = Wide(8)\n  input x: f32[B, 8]\n  output y = wide(x)\n}\n',
    '/// A model.\nmodel A {\n  wide = Wide(8)\n  input x: f32[B, 8]\n  output y = wide(x)\n}\n',
    'model A {\n  wide = Wide(8, by = twice(2))\n  input x: f32[B, 8]\n  input z: f32[B, 8]\n  output y = wide(x)\n}\n',
    'model A(n: int = 8) {\n  wide = Wide(n)\n  own = Linear(n, n)\n  input x: f32[B, n]\n  output y = wide(applied(own, x))\n}\n',
    'model A {\n  wide = Wide(8)\n  input x: f32[B, 9]\n  output y = wide(x)\n}\n',
    '',
  ],
  [
    'recipe r for A at B = 2 {\n  input t: f32[B, 8]\n  term mse = mean((y - t) * (y - t), "b c ->")\n  optimizer = AdamW(lr = 1e-3)\n  schedule = constant()\n  steps = 10\n}\n',
    'recipe r for A at B = 2 {\n  input t: f32[B, 8]\n  term mse = mean((y - t) * (y - t), "b c ->")\n  optimizer = AdamW(lr = 1e-3)\n  schedule = constant()\n  steps = 10\n  train wide.down.*\n}\n',
    'recipe r for A at B = 2 {\n  input t: f32[B, 8]\n  term mse = mean((z - t) * (y - t), "b c ->")\n  optimizer = AdamW(lr = 1e-3)\n  schedule = constant()\n  steps = 10\n}\n',
    'recipe r for Lone at B = 2 {\n  input t: f32[B, 8]\n  term mse = mean((y - t) * (y - t), "b c ->")\n  optimizer = AdamW(lr = 1e-3)\n  schedule = constant()\n  steps = 10\n  train all except one.*\n}\n',
    '',
  ],
  ['', 'recipe early for A extends r {\n  steps = 5\n}\n', 'recipe early for Lone extends r {\n  steps = 5\n}\n'],
  [
    '',
    'weights m for Wide {\n  "{...rest}" -> "{...rest}"\n}\n',
    'weights m for A {\n  "a.{...rest}" -> "wide.{...rest}"\n}\n',
    'weights m for Gone {\n  "a.{...rest}" -> "wide.{...rest}"\n}\n',
  ],
  [
    'model Lone {\n  one = Linear(8, 8)\n  input x: f32[B, 8]\n  output y = one(x)\n}\n',
    'model Lone {\n  one = Linear(8, 8)\n  drop = Dropout(0.5)\n  input x: f32[B, 8]\n  output y = drop(one(x))\n}\n',
    'model Lone {\n  one = Linear(8, 8)\n  input x: f32[B, 8]\n  output y = two(x)\n}\n',
    'model Lone {\n  two = Linear(8, 8)\n  input x: f32[B, 8]\n  output y = two(x)\n}\n',
    'model Lone {\n  one = Linear(8, 8)\n  norm = LayerNorm(8)\n  input x: f32[B, 8]\n  output y = norm(one(x))\n}\n',
    'model Lone {\n  one = Linear(8, 8\n  input x: f32[B, 8]\n  output y = one(x)\n}\n',
  ],
];

const variants: readonly Piece[] = [
  ['use base.{A, r}\n', 'use base.{A, Lone, r, m}\n', 'use base.{Lone as A, r}\n', 'use base.{A}\nuse parts.{twice}\n'],
  ['', 'use more.{Other}\n', 'use parts.{Wide}\n'],
  [
    'model V extends A {\n  wide = Wide(8)\n}\n',
    'model V extends A {\n}\n',
    'model V extends A {\n  wide.down.bias = false\n}\n',
    'model V extends A {\n  wide = Other(8)\n}\n',
    'model V extends A {\n  wide.by = twice(8)\n}\n',
    '',
  ],
  ['', 'model V2 extends V {\n  wide.by = 16\n}\n', 'model V2 extends V {\n  wide.by = 7\n}\n'],
  [
    '',
    'recipe v for V extends r {\n  steps = 20\n}\n',
    'recipe v for V extends r {\n  init wide from "a.safetensors" via m\n}\n',
    'recipe v for W extends r {\n  train own.*\n}\n',
    'recipe v extends r {\n  freeze wide.up.*\n}\n',
  ],
  [
    '',
    'model W {\n  own = Linear(8, 8)\n  input x: f32[B, 8]\n  output y = own(x)\n}\n',
    'model W {\n  other = Linear(8, 8)\n  input x: f32[B, 8]\n  output y = other(x)\n}\n',
    'model W {\n  own = Linear(8, 8)\n  input x: f32[B, 8]\n  output z = own(x)\n}\n',
    'model W {\n  own = Linear(8, 8)\n  unused = Linear(8, 8)\n  input x: f32[B, 8]\n  output y = own(x)\n}\n',
    'model W {\n  own = Linear(8, 8)\n  input x: f32[B, 8]\n  input u: f32[B, 8]\n  output y = own(x)\n}\n',
  ],
];

const more: readonly Piece[] = [
  ['use parts.{Row, once}\n', ''],
  [
    'module Other(dim: int): Row {\n  own = Linear(dim, dim)\n  forward {\n    return own(x)\n  }\n}\n',
    'module Other(dim: int) {\n  own = Linear(dim, dim)\n  forward(x: f32[B, dim]) -> f32[B, dim] {\n    return own(own(x))\n  }\n}\n',
    'module Other(dim: int) {\n  own = Linear(dim, once(dim))\n  forward(x: f32[B, dim]) -> f32[B, dim] {\n    return own(x)\n  }\n}\n',
  ],
];

const files: Readonly<Record<string, readonly Piece[]>> = {
  'parts.crob': parts,
  'base.crob': base,
  'variants.crob': variants,
  'more.crob': more,
};

/** What stands before a piece: it moves what follows, and says nothing. */
const gaps = ['', '\n', '\n\n', '// Moved.\n'];

/** Where a piece is, and what it is to be. */
interface Edit {
  readonly file: string;
  readonly piece: number;
  readonly text: string;
  readonly gap: string;
}

const edit: fc.Arbitrary<Edit> = fc.oneof(
  ...Object.entries(files).flatMap(([file, pieces]) =>
    pieces.map(([first = '', ...others], piece) => ({
      // A place with many texts is changed more often. The first ones are without errors together.
      weight: others.length + 1,
      arbitrary: fc.record({
        file: fc.constant(file),
        piece: fc.constant(piece),
        text: fc.oneof(
          { weight: 2, arbitrary: fc.constant(first) },
          { weight: 3, arbitrary: fc.constantFrom(...others) },
        ),
        gap: fc.oneof({ weight: 3, arbitrary: fc.constant('') }, fc.constantFrom(...gaps)),
      }),
    })),
  ),
);

/** Edits at one moment, a file that is missing then, and one whose last two declarations are the first. */
const step = fc.record({
  edits: fc.array(edit, { minLength: 1, maxLength: 3 }),
  missing: fc.option(fc.constantFrom(...Object.keys(files)), { freq: 20 }),
  turned: fc.option(fc.constantFrom(...Object.keys(files)), { freq: 6 }),
});

/** The texts of all files at several moments. */
export const lives: fc.Arbitrary<readonly Readonly<Record<string, string>>[]> = fc
  .array(step, { minLength: 2, maxLength: 12 })
  .map((steps) => {
    const now = new Map(Object.entries(files).map(([file, pieces]) => [file, pieces.map(([first = '']) => first)]));
    return [{ edits: [], missing: null, turned: null }, ...steps].map(({ edits, missing, turned }) => {
      for (const { file, piece, text, gap } of edits) now.get(file)![piece] = gap + text;
      const present = [...now].filter(([file]) => file !== missing);
      return Object.fromEntries(
        present.map(([file, all]) => [file, (file === turned ? turnedAround(all) : all).join('')]),
      );
    });
  });

function turnedAround(all: readonly string[]): readonly string[] {
  const isUse = (text: string) => text.trimStart().startsWith('use');
  const others = all.filter((text) => !isUse(text));
  return [...all.filter(isUse), ...others.slice(-2), ...others.slice(0, -2)];
}

export const fileNames = Object.keys(files);
