import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import { crobc } from './crobc.ts';

const at = temporaryFolder();
const diff = (...args: readonly string[]) => crobc(['diff', ...args], { cwd: at('.') });
const json = async (...args: readonly string[]) => JSON.parse((await diff(...args, '--json')).out);

const source = `interface Norm(dim: int) {
  forward(x: f32[B, dim]) -> f32[B, dim]
}
module Centre(dim: int): Norm {
  forward(x: f32[B, dim]) -> f32[B, dim] { return x - mean(x, "b d -> b 1") }
}
module Scale(dim: int, initial: float = 1.0): Norm {
  param factor: f32[dim] ~ constant(value = initial)
  forward(x: f32[B, dim]) -> f32[B, dim] {
    let y = x * factor
    return y
  }
}
module Block(dim: int, depth: int = 2, norm: Norm = Centre()) {
  before = norm(dim = dim)
  layers = [Linear(dim, dim) for i in 0..depth]
  forward(x: f32[B, dim]) -> f32[B, dim] {
    for layer in layers { x = relu(layer(x)) }
    return before(x)
  }
}

model Base(dim: int = 8) where B <= 64 {
  block = Block(dim)
  drop = Dropout(0.5)
  head = Linear(dim, 4)
  input x: f32[B, dim]
  let y = drop(block(x))
  output logits = head(y)
}

/// Another norm.
model Scaled extends Base {
  block.norm = Scale(initial = 2.0)
}

model Wider extends Base where B % 2 == 0 {
  dim = 12
  block.depth = 3
  output logits = 2.0 * head(y)
  output hidden = y
}

model Again extends Base {}

/// The same with other names.
model Renamed(dim: int = 8) where B <= 64 {
  block = Block(dim)
  drop = Dropout(0.5)
  head = Linear(dim, 4)
  input x: f32[B, dim]
  let inside = block(x)
  output logits = head(drop(inside))
}

model Dropped extends Base {
  drop.rate = 0.25
}

model Higher extends Scaled {
  block.norm = Scale(initial = 3.0)
}
`;

beforeAll(() => writeFile(at('a.crob'), source));

describe('two models', () => {
  test('a slot that is exchanged, and the weights that this adds', async () => {
    const { code, out } = await diff('a.crob:Base', 'a.crob:Scaled');
    expect(code).toBe(0);
    expect(out).toMatchInlineSnapshot(`
      "--- a.crob:Base
      +++ a.crob:Scaled

      Parts
                      Base                     Scaled                  where
        ------------  -----------------------  ----------------------  ---------
        block.before  Centre: norm(dim = dim)  Scale: norm(dim = dim)  a.crob:15

      Parameters
                    Base      Scaled              where
        ----------  --------  ------------------  ---------
        block.norm  Centre()  Scale(initial = 2)  a.crob:34

      Modules
               module  output     parameters  FLOP            activations
        -----  ------  ---------  ----------  --------------  --------------
        block  Block   f32[B, 8]  144 -> 152  304*B -> 296*B  228*B -> 224*B

      Weights
                          weights  shape   parameters
        ----------------  -------  ------  ----------
        + block.before.*  1        f32[8]  8

      Operators
              Base  Scaled  change
        ----  ----  ------  ------
        mean  1     0       -1
        mul   0     1       +1
        sub   1     0       -1

      Totals
                            Base   Scaled  change
        ------------------  -----  ------  --------------------
        parameters          180    188     +8 (+4.4 %)
        FLOP                372*B  364*B   depends on the sizes
        activations in all  260*B  256*B   depends on the sizes
        numbers need sizes: --set B=…

      A checkpoint of Base
        gives Scaled 6 of 7 weights by name and shape: 180 of 188 parameters (95.7 %)
        1 weight of it stays initial: 8 parameters
      "
    `);
    const found = await json('a.crob:Base', 'a.crob:Scaled');
    expect(found.weights).toEqual({
      added: [{ path: 'block.before.factor', shape: 'f32[8]', role: 'param' }],
      removed: [],
      reshaped: [],
      initial: [],
    });
    expect(found.carried).toEqual({
      weights: { carried: 6, initial: 1, unused: 0 },
      parameters: { carried: 2 * (64 + 8) + 32 + 4, initial: 8 },
    });
  });

  test('parameters and what follows from them, conditions, equations, ports, shapes, weights', async () => {
    const { out } = await diff('a.crob:Base', 'a.crob:Wider', '--set', 'B=2');
    expect(out).toMatchInlineSnapshot(`
      "--- a.crob:Base
      +++ a.crob:Wider

      Parts
                         Base  Wider   where
        ---------------  ----  ------  ---------
        block.layers[2]        Linear  a.crob:16

      Parameters
                     Base  Wider  where
        -----------  ----  -----  ---------
        dim          8     12     a.crob:38
        block.depth  2     3      a.crob:39

      Parameters that follow from these
                     Base  Wider  from
        -----------  ----  -----  --------------
        block.dim    8     12     dim  a.crob:24
        head.inputs  8     12     dim  a.crob:26
        and 5 inside these parts

      Inputs and outputs
                       Base       Wider
        -------------  ---------  ----------
        input x        f32[2, 8]  f32[2, 12]
        output hidden             f32[2, 12]

      Conditions
        + B % 2 == 0

      Equations
        - output logits = head(y)
        + output logits = 2.0 * head(y)
        + output hidden = y

      Modules
               module  output                   parameters  FLOP           activations
        -----  ------  -----------------------  ----------  -------------  --------------
        block  Block   f32[2, 8] -> f32[2, 12]  144 -> 468  608 -> 1.92 k  456 B -> 968 B
        head   Linear  f32[2, 4]                36 -> 52    136 -> 200     64 B

      Weights
                                         weights  shape                     parameters
        -------------------------------  -------  ------------------------  ----------
        + block.layers.2.*               2                                  156
        ~ block.layers.0..1.weight  (2)  1        f32[8, 8] -> f32[12, 12]  64 -> 144
        ~ block.layers.0..1.bias  (2)    1        f32[8] -> f32[12]         8 -> 12
        ~ head.weight                    1        f32[4, 8] -> f32[4, 12]   32 -> 48

      Operators
                   Base  Wider  change
        ---------  ----  -----  ------
        add        3     4      +1
        full       0     1      +1
        matmul     3     4      +1
        mul        0     1      +1
        relu       2     3      +1
        transpose  3     4      +1

      Totals
                                 Base   Wider    change
        -----------------------  -----  -------  ------------------
        parameters               180    520      +340 (+188.9 %)
        FLOP                     744    2.13 k   +1.38 k (+186.0 %)
        activations in all       520 B  1.0 KiB  +548 B (+105.4 %)
        activations at the peak  384 B  768 B    +384 B (+100.0 %)

      A checkpoint of Base
        gives Wider 1 of 8 weights by name and shape: 4 of 520 parameters (0.8 %)
        7 weights of it stay initial: 516 parameters
        5 weights of the checkpoint are not used
      "
    `);
    const found = await json('a.crob:Base', 'a.crob:Wider', '--set', 'B=2');
    const own = found.parameters.filter((one: { follows: boolean }) => !one.follows);
    expect(own).toEqual([
      expect.objectContaining({ path: 'dim', before: '8', after: '12', written: '12' }),
      expect.objectContaining({ path: 'block.depth', before: '2', after: '3', written: 'block.depth = 3' }),
    ]);
    expect(found.weights.reshaped).toContainEqual({
      path: 'head.weight',
      before: 'f32[4, 8]',
      after: 'f32[4, 12]',
    });
    // Only the bias of the head has the same shape.
    expect(found.carried.parameters).toEqual({ carried: 4, initial: 3 * (144 + 12) + 48 });
    expect(found.after.parameters).toBe(3 * (144 + 12) + 48 + 4);
  });

  test.each([
    ['Again', 'none', 'no difference'],
    ['Renamed', 'sources', 'same graph: the sources differ, and mean the same'],
    ['Dropped', 'training', 'same graph in inference; in training, the graphs differ'],
    ['Scaled', 'graphs', 'Totals'],
  ])('Base and %s: %s', async (model, verdict, text) => {
    const models = ['a.crob:Base', `a.crob:${model}`] as const;
    expect((await json(...models)).verdict).toBe(verdict);
    const { code, out } = await diff(...models, '--exit-code');
    expect(out).toContain(text);
    expect(code).toBe(verdict === 'none' || verdict === 'sources' ? 0 : 1);
    expect((await diff(...models)).code).toBe(0);
  });

  test('initial values alone', async () => {
    const found = await json('a.crob:Scaled', 'a.crob:Higher');
    expect(found.verdict).toBe('graphs');
    expect(found.weights.initial).toEqual([
      { path: 'block.before.factor', before: 'constant(value = 2)', after: 'constant(value = 3)' },
    ]);
    expect(found.operators).toEqual([]);
  });

  test('Markdown', async () => {
    const { out } = await diff('a.crob:Base', 'a.crob:Wider', '--markdown');
    expect(out).toMatchInlineSnapshot(`
      "### \`Base\` → \`Wider\`

      in \`a.crob\`

      **Parts**

      |  | Base | Wider | where |
      | --- | --- | --- | --- |
      | \`block.layers[2]\` |  | \`Linear\` | \`a.crob:16\` |

      **Parameters**

      |  | Base | Wider | where |
      | --- | --- | --- | --- |
      | \`dim\` | \`8\` | \`12\` | \`a.crob:38\` |
      | \`block.depth\` | \`2\` | \`3\` | \`a.crob:39\` |

      **Parameters that follow from these**

      |  | Base | Wider | from |
      | --- | --- | --- | --- |
      | \`block.dim\` | \`8\` | \`12\` | \`dim  a.crob:24\` |
      | \`head.inputs\` | \`8\` | \`12\` | \`dim  a.crob:26\` |

      and 5 inside these parts

      **Inputs and outputs**

      |  | Base | Wider |
      | --- | --- | --- |
      | \`input x\` | \`f32[B, 8]\` | \`f32[B, 12]\` |
      | \`output hidden\` |  | \`f32[B, 12]\` |

      **Conditions**

      \`\`\`diff
      + B % 2 == 0
      \`\`\`

      **Equations**

      \`\`\`diff
      - output logits = head(y)
      + output logits = 2.0 * head(y)
      + output hidden = y
      \`\`\`

      **Modules**

      |  | module | output | parameters | FLOP | activations |
      | --- | --- | --- | --- | --- | --- |
      | \`block\` | \`Block\` | \`f32[B, 8] -> f32[B, 12]\` | \`144 -> 468\` | \`304*B -> 960*B\` | \`228*B -> 484*B\` |
      | \`head\` | \`Linear\` | \`f32[B, 4]\` | \`36 -> 52\` | \`68*B -> 100*B\` | \`32*B\` |

      **Weights**

      |  | weights | shape | parameters |
      | --- | --- | --- | --- |
      | \`+ block.layers.2.*\` | \`2\` |  | \`156\` |
      | \`~ block.layers.0..1.weight  (2)\` | \`1\` | \`f32[8, 8] -> f32[12, 12]\` | \`64 -> 144\` |
      | \`~ block.layers.0..1.bias  (2)\` | \`1\` | \`f32[8] -> f32[12]\` | \`8 -> 12\` |
      | \`~ head.weight\` | \`1\` | \`f32[4, 8] -> f32[4, 12]\` | \`32 -> 48\` |

      **Operators**

      |  | Base | Wider | change |
      | --- | --- | --- | --- |
      | \`add\` | \`3\` | \`4\` | \`+1\` |
      | \`full\` | \`0\` | \`1\` | \`+1\` |
      | \`matmul\` | \`3\` | \`4\` | \`+1\` |
      | \`mul\` | \`0\` | \`1\` | \`+1\` |
      | \`relu\` | \`2\` | \`3\` | \`+1\` |
      | \`transpose\` | \`3\` | \`4\` | \`+1\` |

      **Totals**

      |  | Base | Wider | change |
      | --- | --- | --- | --- |
      | \`parameters\` | \`180\` | \`520\` | \`+340 (+188.9 %)\` |
      | \`FLOP\` | \`372*B\` | \`1064*B\` | \`depends on the sizes\` |
      | \`activations in all\` | \`260*B\` | \`532*B + 4\` | \`depends on the sizes\` |

      numbers need sizes: --set B=…

      **A checkpoint of Base**

      gives Wider 1 of 8 weights by name and shape: 4 of 520 parameters (0.8 %)

      7 weights of it stay initial: 516 parameters

      5 weights of the checkpoint are not used
      "
    `);
  });

  test('a picture of both has colours for what differs', async () => {
    const marksOf = async (model: string, ...more: readonly string[]) => {
      await diff('a.crob:Base', `a.crob:${model}`, '--picture', 'both.svg', ...more);
      const svg = readFileSync(at('both.svg'), 'utf8');
      // Of each half, the boxes with a class beyond their kind; the legend comes after both.
      const halves = svg.split('<g transform="translate(').slice(1);
      return halves.map((half) =>
        [...half.matchAll(/<rect class="(\w+)([^"]*)"([^>]*)\/>\s*<text[^>]*>([^<]*)</g)].flatMap(
          ([, kind, mark = '', rest = '', name]) =>
            mark === '' || kind === 'group' || rest.includes('height="14"') ? [] : [`${name}:${mark}`],
        ),
      );
    };
    expect(await marksOf('Again')).toEqual([[], []]);
    expect(await marksOf('Wider')).toEqual([
      ['input x: changed', 'block: changed', 'head: follows'],
      ['input x: changed', 'block: changed', 'head: follows', 'output hidden: added'],
    ]);
    expect(await marksOf('Scaled', '--depth', '2')).toEqual([['before: exchanged'], ['before: exchanged']]);
    const { err } = await diff('a.crob:Base', 'a.crob:Scaled', '--picture', 'both.jpg');
    expect(err).toBe('error: --picture both.jpg: the name of a picture ends in .svg, .pdf or .png\n');
  });

  test('the other direction has the signs turned', async () => {
    const [there, back] = [await json('a.crob:Base', 'a.crob:Wider'), await json('a.crob:Wider', 'a.crob:Base')];
    expect(back.weights.removed).toEqual(there.weights.added);
    expect(back.conditions).toEqual({ added: there.conditions.removed, removed: there.conditions.added });
    const turned = there.operators.map(({ op, before, after }: Record<string, unknown>) => ({
      op,
      before: after,
      after: before,
    }));
    expect(back.operators).toEqual(turned);
  });

  test.each([
    [['a.crob', 'a.crob:Base'], 'error: a.crob has several models: name one, as a.crob:Base\n', 2],
    [['a.crob:Base'], /^error: diff compares two models/, 2],
    [['a.crob:Base', 'a.crob:Scaled', 'a.crob:Wider'], /^error: diff compares two models/, 2],
    [['a.crob:Base', 'a.crob:Scald'], 'crobc: a.crob has no model Scald; did you mean Scaled?\n', 1],
    [['a.crob:Base', 'b.crob:Scaled'], /^crobc: cannot read b\.crob: /, 1],
    [['a.crob:Base', 'a.crob:Scaled', '--json', '--markdown'], /^error: --json and --markdown/, 2],
  ])('%j is refused', async (args, message, expected) => {
    const { code, err } = await diff(...args);
    expect(err).toMatch(message);
    expect(code).toBe(expected);
  });
});

describe('a revision', () => {
  const folder = () => at('repository');
  const git = (...args: readonly string[]) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b.c', ...args], { cwd: folder(), encoding: 'utf8' });
  const base = (...args: readonly string[]) => crobc(['diff', '--base', ...args], { cwd: folder() });
  const write = (name: string, text: string) => writeFile(`${folder()}/${name}`, text);
  const odd = '$(touch broken); a.crob';
  const gone = 'model Gone {\n  input x: f32[N]\n  output y = x\n}\n';

  beforeAll(async () => {
    await mkdir(`${folder()}/parts`, { recursive: true });
    git('init', '--quiet', '--initial-branch=main');
    await write('a.crob', source);
    await write('parts/layer.crob', 'fn twice(x: f32[N]) -> f32[N] = 2.0 * x\n');
    await write('uses.crob', 'use parts.layer.{twice}\nmodel Uses {\n  input x: f32[N]\n  output y = twice(x)\n}\n');
    await write('gone.crob', gone);
    await write(odd, gone.replace('Gone', 'Odd'));
    git('add', '.');
    git('commit', '--quiet', '-m', 'first');
  });

  test('nothing has changed', async () => {
    expect(await base('HEAD')).toEqual({ code: 0, out: 'no difference from HEAD\n', err: '' });
    expect((await base('main', 'a.crob:Base', '--markdown')).out).toBe('no difference from main\n');
  });

  test('a module of another file, a model that is new, one that is gone', async () => {
    await write('parts/layer.crob', 'fn twice(x: f32[N]) -> f32[N] = x + x\n');
    await write(odd, gone.replace('Gone', 'New'));
    await rm(`${folder()}/gone.crob`);
    const { code, out } = await base('HEAD', '--exit-code');
    expect(code).toBe(1);
    expect(out).toMatchInlineSnapshot(`
      "--- $(touch broken); a.crob:Odd  removed

      +++ $(touch broken); a.crob:New  added

      --- gone.crob:Gone  removed

      --- uses.crob:Uses
      +++ uses.crob:Uses

      Methods
        fn twice  parts/layer.crob:1
        - fn twice(x: f32[N]) -> f32[N] = 2.0 * x
        + fn twice(x: f32[N]) -> f32[N] = x + x

      Operators
              HEAD  now  change
        ----  ----  ---  ------
        add   0     1    +1
        full  1     0    -1
        mul   1     0    -1

      Totals
                            HEAD     now  change
        ------------------  -------  ---  --------------------
        parameters          0        0
        FLOP                N        N
        activations in all  4*N + 4  4*N  depends on the sizes
        numbers need sizes: --set N=…
      "
    `);
    const found = JSON.parse((await base('HEAD', '--json')).out);
    expect(found.commit).toBe(git('rev-parse', 'HEAD').trim());
    expect(found.models.map(({ model, status }: Record<string, unknown>) => [model, status])).toEqual([
      ['Odd', 'removed'],
      ['New', 'added'],
      ['Gone', 'removed'],
      ['Uses', 'graphs'],
    ]);
    expect(existsSync(`${folder()}/broken`)).toBe(false);
    expect((await base('HEAD', 'parts')).out).toBe('no difference from HEAD\n');
    expect((await base('HEAD', 'uses.crob:Uses', '--json')).out).toContain('"operators"');
    expect((await base('HEAD', 'gone.crob')).out).toBe('--- gone.crob:Gone  removed\n');
    git('checkout', '--quiet', '.');
  });

  test('names in a message keep the revision apart from the working tree', async () => {
    await write('uses.crob', 'use parts.layer.{twice}\nmodel Uses {\n  input x: f32[N]\n  output y = twise(x)\n}\n');
    const { code, err } = await base('HEAD');
    expect(code).toBe(1);
    expect(err).toContain('uses.crob:4');
    expect(err).not.toContain('in HEAD');
    git('commit', '--quiet', '-am', 'wrong');
    git('checkout', '--quiet', 'HEAD~1', '--', 'uses.crob');
    expect((await base('HEAD')).err).toContain('these are errors of uses.crob in HEAD');
    expect((await base('HEAD~1')).out).toBe('no difference from HEAD~1\n');
    git('reset', '--quiet', '--hard', 'HEAD~1');
  });

  test('a picture is of one model', async () => {
    await write('a.crob', source.replace('x * factor', '2.0 * x * factor').replace('2.0 * head', '3.0 * head'));
    const { code, err } = await base('HEAD', '--picture', 'change.svg');
    expect([code, err]).toEqual([2, 'error: --picture draws one model, and 3 differ: name one, as a.crob:Scaled\n']);
    expect((await base('HEAD', 'a.crob:Scaled', '--picture', 'change.svg')).code).toBe(0);
    expect(readFileSync(`${folder()}/change.svg`, 'utf8')).toContain('>Scaled in HEAD</text>');
    git('checkout', '--quiet', '.');
    expect((await base('HEAD', 'a.crob:Base', '--picture', 'no.svg')).err).toBe(
      'note: no.svg is not written, because no model differs\n',
    );
    await rm(`${folder()}/change.svg`);
  });

  test('sizes are for the models that have them', async () => {
    await write('uses.crob', 'use parts.layer.{twice}\nmodel Uses {\n  input x: f32[N]\n  output y = -twice(x)\n}\n');
    await write('a.crob', source.replace('x * factor', '2.0 * x * factor'));
    const { code, out } = await base('HEAD', '--set', 'B=2,N=3');
    expect(code).toBe(0);
    expect(out).toContain('uses.crob:Uses');
    expect(out).toMatch(/-\s+let y = x \* factor\n\s+\+ let y = 2\.0 \* x \* factor/);
    expect((await base('HEAD', '--set', 'Q=2')).err).toBe('error: --set Q: no model that changed has this dim\n');
    git('checkout', '--quiet', '.');
  });

  test.each([
    [['nothing'], 1, 'crobc: --base nothing: git knows no such revision\n'],
    [['--output=x'], 1, 'crobc: --base --output=x: git knows no such revision\n'],
    [['HEAD', 'no.crob'], 2, /cannot read no\.crob/],
    [['HEAD', 'a.crob:No'], 2, 'error: a.crob has no model No, neither now nor in HEAD\n'],
  ])('%j is refused', async (args, expected, message) => {
    const { code, err } = await base(...args);
    expect(err).toMatch(message);
    expect(code).toBe(expected);
  });

  test('a folder without a repository', async () => {
    await mkdir(at('plain'), { recursive: true });
    const { code, err } = await crobc(['diff', '--base', 'HEAD'], {
      cwd: at('plain'),
      env: { GIT_CEILING_DIRECTORIES: at('.') },
    });
    expect(code).toBe(1);
    expect(err).toMatch(/^crobc: /);
  });
});
