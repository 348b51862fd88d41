import { describe, expect, test } from 'vitest';
import type { Diagnostic } from '../../compiler/diagnostics/diagnostic.ts';
import { compileTraining } from '../../compiler/training/compile-training.ts';
import type { Recipe } from '../../compiler/training/recipe.ts';
import { memoryHost } from '../memory-host.ts';

const source = `
module Block() {
  inner = Linear(4, 4)
  norm = LayerNorm(4)
  forward(x: f32[B, 4]) -> f32[B, 4] { return norm(inner(x)) }
}
weights published for Block {
  "a.{x}" -> "inner.{x}"
}
model Net() {
  blocks = [Block() for i in 0..2]
  head = Linear(4, 1)
  input x: f32[B, 4]
  output y = head(blocks[1](blocks[0](x)))
}
model Wide extends Net {
  head = Linear(4, 1, bias = false)
}
model Other() {
  head = Linear(4, 1)
  input x: f32[B, 4]
  output y = head(x)
}
recipe plain for Net at B = 4 {
  input target: f32[B, 1]
  term error = mean(square(y - target), "b c ->")
  optimizer = AdamW(lr = 0.01, weight_decay = 0.02)
  epochs = 3
  group blocks[*].norm { lr = 0.1x }
}
recipe full extends plain at B = 8 {
  let off = y - target
  term size = 0.1 * mean(abs(off), "b c ->")
  lr = 0.5x
  schedule = warmup(5) then poly(2, end = 0.1) then cosine() then constant(0.5)
  accumulate = 2
  clip = 1
  ema = 0.99
  evaluate_every = 10
  early_stop = 3
  checkpoint_every = 20
  protocol = "caris"
  metric = "mIoU"
  seed = 7
  augment = true
  fix blocks[0].*
  eval blocks[1].norm
  group blocks.* { weight_decay = 0 }
  init blocks[0].* from "block.safetensors" via published
  start from plain
}
recipe short extends full {
  steps = 50
  optimizer = SGD(0.1, momentum = 0.9)
  term error = mean(abs(y - target), "b c ->")
}
`;

const anyMetric = '`metric` must be one of "mIoU", "oIoU", "Pr@0.5", "Pr@0.6", "Pr@0.7", "Pr@0.8", "Pr@0.9"';

interface Asked {
  readonly model?: string;
  readonly recipe?: string;
  readonly overrides?: readonly string[];
  readonly dims?: Readonly<Record<string, number>>;
  readonly more?: string;
}

function ask({ model, recipe, overrides = [], dims = {}, more = '' }: Asked) {
  return compileTraining(memoryHost({ 'main.crob': source + more }), 'main.crob', {
    model,
    recipe,
    dims: new Map(Object.entries(dims)),
    overrides,
  });
}

function recipe(asked: Asked): Recipe {
  const { training, diagnostics } = ask(asked);
  expect(diagnostics).toEqual([]);
  return training!.recipe;
}

/** Line of the source, from 1. */
const line = (text: string) => `main.crob:${source.slice(0, source.indexOf(text)).split('\n').length}`;

describe('a recipe as data', () => {
  test('what it gives, and defaults', () => {
    const found = recipe({});
    expect(found).toMatchObject({
      name: 'plain',
      model: 'Net',
      inputs: ['target'],
      optimizer: { kind: 'AdamW', lr: 0.01, weightDecay: 0.02, beta1: 0.9, beta2: 0.999, eps: 1e-8 },
      schedule: [{ kind: 'constant', factor: 1 }],
      length: { epochs: 3 },
      accumulate: 1,
      seed: 0,
      augment: false,
      fixed: [],
      evaluated: [],
      inits: [],
      groups: [
        { pattern: 'blocks[*].norm', roots: ['blocks.0.norm', 'blocks.1.norm'], lr: { value: 0.1, factor: true } },
      ],
    });
    expect([...found.dims]).toEqual([['B', 4]]);
    expect([...found.terms]).toEqual([['error', 'mean(square(y - target), "b c ->")']]);
    expect(found).toMatchObject({ evaluateEvery: 1, protocol: 'lavt', metric: 'mIoU' });
    expect(recipe({ overrides: ['recipe.steps=55'] }).evaluateEvery).toBe(6);
    for (const key of ['clip', 'ema', 'earlyStop', 'checkpointEvery'] as const) expect(found[key], key).toBeUndefined();
    expect(Object.fromEntries(found.sources)).toMatchObject({
      lr: line('optimizer = AdamW'),
      beta1: 'default',
      epochs: line('epochs = 3'),
      clip: 'default',
      'term error': line('term error = mean(square'),
      B: line('recipe plain'),
      'group blocks[*].norm': line('group blocks[*]'),
    });
    expect(found.sources.has('steps')).toBe(false);
  });

  test('what it takes out is left, and a list is taken apart', () => {
    const more = `
recipe less extends full {
  without error
  let (first, rest) = split(target, "* c", [1, B - 1])
  term parts = mean(abs(first), "b c ->") + mean(abs(rest), "b c ->")
}
recipe back extends less {
  without off
  without size
  term error = mean(square(y - target), "b c ->")
}
`;
    expect([...recipe({ recipe: 'less', more }).terms.keys()]).toEqual(['size', 'parts']);
    const back = recipe({ recipe: 'back', more });
    expect([...back.terms.keys()]).toEqual(['parts', 'error']);
    expect(back.sources.has('term size')).toBe(false);
  });

  test('a group whose weights are not trained is told: its own as an error, an inherited one in a note', () => {
    const more = 'recipe onlyHead extends plain {\n  train only head.*\n}\n';
    expect(recipe({ recipe: 'onlyHead', more }).notes).toEqual([
      `group blocks[*].norm of ${line('group blocks[*].norm')} has no effect: none of its weights is trained`,
    ]);
    expect(recipe({ recipe: 'plain', more }).notes).toEqual([]);
    const own = 'recipe own extends plain {\n  fix blocks.*\n  group blocks[0].* { lr = 0.1x }\n}\n';
    expect(ask({ recipe: 'own', more: own }).diagnostics).toMatchObject([
      { code: 'CROB2329', message: '`group blocks[0].*`: this recipe trains none of these weights' },
    ]);
  });

  test('every setting, over what it extends', () => {
    const found = recipe({ recipe: 'full' });
    expect(found).toMatchObject({
      optimizer: { kind: 'AdamW', lr: 0.005, weightDecay: 0.02 },
      schedule: [
        { kind: 'warmup', steps: 5 },
        { kind: 'poly', power: 2, end: 0.1 },
        { kind: 'cosine', end: 0 },
        { kind: 'constant', factor: 0.5 },
      ],
      length: { epochs: 3 },
      accumulate: 2,
      clip: 1,
      ema: 0.99,
      evaluateEvery: 10,
      earlyStop: 3,
      checkpointEvery: 20,
      protocol: 'caris',
      metric: 'mIoU',
      seed: 7,
      augment: true,
      fixed: [{ pattern: 'blocks[0].*', roots: ['blocks.0'] }],
      evaluated: [{ pattern: 'blocks[1].norm', roots: ['blocks.1.norm'] }],
      // The nearest recipe's come first.
      groups: [{ pattern: 'blocks.*' }, { pattern: 'blocks[*].norm' }],
      inits: [
        {
          roots: ['blocks.0'],
          file: 'block.safetensors',
          source: line('init blocks'),
          via: { name: 'published', places: [{ path: 'blocks.0' }] },
        },
      ],
      startFrom: 'plain',
    });
    expect(found.dims.get('B')).toBe(8);
    expect([...found.terms.keys()]).toEqual(['error', 'size']);
    expect(found.sources.get('start_from')).toBe(line('start from plain'));
    expect(found.sources.get('lr')).toBe(line('lr = 0.5x'));
    expect(found.sources.get('optimizer')).toBe(line('optimizer = AdamW'));
    expect(found.sources.get('weight_decay')).toBe(line('optimizer = AdamW'));
  });

  test('an optimizer replaces what was said of the one before, steps replace epochs, a term its namesake', () => {
    const found = recipe({ recipe: 'short' });
    expect(found.optimizer).toEqual({ kind: 'SGD', lr: 0.1, momentum: 0.9, weightDecay: 0 });
    expect(found.length).toEqual({ steps: 50 });
    expect(found.sources.has('epochs')).toBe(false);
    expect([...found.terms]).toEqual([
      ['error', 'mean(abs(y - target), "b c ->")'],
      ['size', '0.1 * mean(abs(off), "b c ->")'],
    ]);
    expect(found.sources.get('momentum')).toBe(line('optimizer = SGD'));
  });

  test('intervals count in the unit of the length that they were said with', () => {
    const found = recipe({ recipe: 'short' });
    expect(found).toMatchObject({ evaluateEvery: 5, checkpointEvery: undefined });
    expect(found.notes).toEqual(
      (['evaluate_every', 'checkpoint_every'] as const).map(
        (name) => `${name} of ${line(`${name} = `)} counts epochs, and the run counts steps: the setting has no effect`,
      ),
    );
    expect(found.sources.get('evaluate_every')).toBe('default');
    const again = recipe({ recipe: 'short', overrides: ['recipe.evaluate_every=7', 'recipe.checkpoint_every=3'] });
    expect(again).toMatchObject({ evaluateEvery: 7, checkpointEvery: 3, notes: [] });
    // Another length in the same unit leaves them.
    expect(recipe({ recipe: 'full', overrides: ['recipe.epochs=4'] })).toMatchObject({ evaluateEvery: 10, notes: [] });
  });

  test('weights: frozen, rates and decay', () => {
    const { training } = ask({ recipe: 'full' });
    const of = (path: string) => training!.weights.find((weight) => weight.path === path);
    expect(of('blocks.0.inner.weight')).toMatchObject({ frozen: true, role: 'param', shape: [4, 4] });
    // The first group that matches is `blocks.*`, so the rate of norms is not that of `plain`.
    expect(of('blocks.1.norm.weight')).toMatchObject({ frozen: false, lrFactor: 1, weightDecay: 0 });
    expect(of('head.weight')).toMatchObject({ frozen: false, lrFactor: 1, weightDecay: 0.02 });
    expect(of('head.bias')).toMatchObject({ weightDecay: 0 });
  });
});

describe('--set', () => {
  test.each([
    ['recipe.lr=1e-4', { optimizer: { lr: 1e-4, weightDecay: 0.02 } }, 'lr'],
    ['recipe.lr = 10x', { optimizer: { lr: 0.1 } }, 'lr'],
    ['recipe.weight_decay=0', { optimizer: { lr: 0.01, weightDecay: 0 } }, 'weight_decay'],
    ['recipe.optimizer=SGD(lr = 0.1)', { optimizer: { kind: 'SGD', lr: 0.1, momentum: 0 } }, 'optimizer'],
    ['recipe.steps=200', { length: { steps: 200 } }, 'steps'],
    ['recipe.epochs=0.5', { length: { epochs: 0.5 } }, 'epochs'],
    ['recipe.clip=0.5', { clip: 0.5 }, 'clip'],
    ['recipe.seed=3', { seed: 3 }, 'seed'],
    ['recipe.augment=true', { augment: true }, 'augment'],
    ['recipe.protocol="caris"', { protocol: 'caris' }, 'protocol'],
    ['recipe.protocol=caris', { protocol: 'caris' }, 'protocol'],
    ['recipe.metric=Pr@0.5', { metric: 'Pr@0.5' }, 'metric'],
    ['recipe.beta1=0.8', { optimizer: { beta1: 0.8, beta2: 0.999, lr: 0.01 } }, 'beta1'],
    ['recipe.eps=1e-6', { optimizer: { eps: 1e-6 } }, 'eps'],
    [
      'recipe.schedule=warmup(5) then poly(0.9)',
      {
        schedule: [
          { kind: 'warmup', steps: 5 },
          { kind: 'poly', power: 0.9, end: 0 },
        ],
      },
      'schedule',
    ],
  ])('%s', (set, wanted, name) => {
    const found = recipe({ overrides: [set] });
    expect(found).toMatchObject(wanted);
    expect(found.name).toBe('plain');
    expect(found.sources.get(name)).toBe(`--set ${set}`);
  });

  test('the batch is the dim B, and other dims come the same way', () => {
    expect(recipe({ overrides: ['recipe.batch=2'] }).dims.get('B')).toBe(2);
    const found = recipe({ dims: { B: 6 } });
    expect([found.dims.get('B'), found.sources.get('B')]).toEqual([6, '--set B=6']);
  });

  test('of the model, which takes its recipe along', () => {
    const { training, diagnostics } = ask({ overrides: ['head = Linear(4, 1, bias = false)', 'recipe.lr=1'] });
    expect(diagnostics).toEqual([]);
    expect(training!.recipe).toMatchObject({ name: 'plain', model: 'Net', optimizer: { lr: 1 } });
    expect(training!.inference.name).toBe('Net');
    expect(training!.weights.map((weight) => weight.path)).not.toContain('head.bias');
  });

  test.each<[string, string, string, string | undefined]>([
    ['recipe.epoch=3', 'CROB2320', 'a recipe has no setting `epoch`', 'did you mean `epochs`?'],
    ['recipe.lr=0', 'CROB2321', '`lr` must be a number above 0', undefined],
    ['recipe.lr="a"', 'CROB2321', '`lr` must be a number above 0', undefined],
    ['recipe.batch=0', 'CROB2321', '`B` must be an int of at least 1', undefined],
    ['recipe.batch=2.5', 'CROB2321', '`B` must be an int of at least 1', undefined],
    ['recipe.ema=1', 'CROB2321', '`ema` must be a number from 0 to below 1', undefined],
    ['recipe.accumulate=1.5', 'CROB2321', '`accumulate` must be an int of at least 1', undefined],
    ['recipe.clip=0.1x', 'CROB2321', '`clip` must be a number above 0', undefined],
    ['recipe.seed=-1', 'CROB2321', '`seed` must be an int of at least 0', undefined],
    ['recipe.augment=1', 'CROB2321', '`augment` must be true or false', undefined],
    ['recipe.metric=1', 'CROB2321', anyMetric, undefined],
    ['recipe.metric=mIou', 'CROB2321', anyMetric, 'did you mean `mIoU`?'],
    ['recipe.metric="mIou"', 'CROB2321', anyMetric, 'did you mean `mIoU`?'],
    [
      'recipe.protocol=rris',
      'CROB2321',
      '`protocol` must be one of "lavt", "caris", "cris", "rrsis", "gres"',
      'did you mean `cris`?',
    ],
    [
      'recipe.momentum=0.9',
      'CROB2009',
      'AdamW has no parameter `momentum`',
      'its arguments are lr, weight_decay, beta1, beta2, eps',
    ],
    ['recipe.optimizer.eps=1', 'CROB2320', 'a recipe has no setting `optimizer.eps`', 'did you mean `recipe.eps`?'],
    [
      'recipe.schedule.power=1',
      'CROB2320',
      'a recipe has no setting `schedule.power`',
      'set it as a whole: recipe.schedule=…',
    ],
    ['recipe.toString=1', 'CROB2320', 'a recipe has no setting `toString`', undefined],
    [
      'recipe.optimizer=Adam(lr = 1)',
      'CROB2321',
      '`optimizer` must be an optimizer: AdamW, SGD',
      'did you mean `AdamW`?',
    ],
    ['recipe.optimizer=AdamW()', 'CROB2010', 'AdamW needs `lr`', undefined],
    [
      'recipe.optimizer=SGD(1, beta1 = 1)',
      'CROB2009',
      'SGD has no parameter `beta1`',
      'its arguments are lr, momentum, weight_decay',
    ],
    ['recipe.optimizer=SGD(1, lr = 1)', 'CROB2012', '`lr` is given twice', undefined],
    ['recipe.optimizer=AdamW(1, beta2 = 1)', 'CROB2321', '`beta2` must be a number from 0 to below 1', undefined],
    [
      'recipe.schedule=poly(0.9) then wormup(3)',
      'CROB2321',
      '`schedule` must be a schedule: poly, cosine, warmup, constant',
      'did you mean `warmup`?',
    ],
    ['recipe.optimizer=SGD(1) then SGD(1)', 'CROB2321', '`optimizer` must be one optimizer', undefined],
    ['recipe.clip=1 then 2', 'CROB2321', '`clip` must be a number above 0, alone', undefined],
    ['recipe.clip=lr', 'CROB2001', 'there is no `lr` here', undefined],
  ])('%s is refused: %s', (set, code, message, help) => {
    const { training, diagnostics } = ask({ overrides: [set] });
    expect(training).toBeUndefined();
    expect(diagnostics.map((d) => [d.code, d.message, d.span.file])).toEqual([[code, message, '--set']]);
    if (help) expect(diagnostics[0]!.help).toBe(help);
  });

  test.each([
    ['recipe.lr = 0', '0', 'lr'],
    ['recipe.fix=head.*', 'recipe.fix', 'fix'],
    ['recipe.epoch=3', 'epoch', 'epoch'],
    ['recipe.momentum=0.9', 'momentum=0.9', 'momentum'],
    ['recipe.optimizer=SGD(1, beta1 = 1)', 'beta1', 'beta1'],
    ['recipe.clip=(1', '(', 'never closed'],
    ['head.bais=false', 'head.bais', 'bais'],
    ['recipe.protocol=lavtt', 'lavtt', 'protocol'],
  ])('of %s the message quotes %s', (set, quoted, said) => {
    const { program, diagnostics } = ask({ dims: { B: 2 }, overrides: ['recipe.seed=3', set] });
    const [{ span, message }] = diagnostics as [Diagnostic];
    expect(message).toContain(said);
    const { text } = program.files.get(span.file)!.tree;
    expect(text).toBe(`B=2\nrecipe.seed=3\n${set}`);
    expect(text.slice(span.start, span.end)).toBe(quoted);
  });

  test('says what it takes where it cannot say something', () => {
    for (const set of ['recipe.fix=head.*', 'recipe.group head.*={ lr = 0.1x }', 'recipe.term error=1.0']) {
      const { training, diagnostics } = ask({ overrides: [set] });
      expect(training).toBeUndefined();
      expect(diagnostics).toMatchObject([{ code: 'CROB2320' }]);
      expect(diagnostics[0]!.help).toMatch(
        /^write it into a recipe that extends plain; behind `recipe\.`, --set takes batch, optimizer, lr, [\w, ]*precision$/,
      );
    }
  });

  test('leaves names as they are in messages', () => {
    const { diagnostics } = ask({ overrides: ['haed=Linear(4, 1)'] });
    expect(diagnostics).toMatchObject([{ message: 'no output depends on `haed`' }]);
  });

  test.each([
    [['recipe.clip=1', 'recipe.clip=2'], 'clip'],
    [['recipe.steps=1', 'recipe.epochs=2'], 'epochs'],
    [['recipe.batch=1', 'recipe.batch=2'], 'B'],
  ])('%j is given twice', (overrides, name) => {
    const { diagnostics } = ask({ overrides });
    expect(diagnostics.map((d) => d.code)).toEqual(['CROB2302']);
    expect(diagnostics[0]!.message).toContain(`\`${name}\` is given twice`);
  });
});

describe('which recipe', () => {
  test('a variant has its base’s, checked against the variant', () => {
    const { training, recipes } = ask({ model: 'Wide' });
    expect(training!.recipe).toMatchObject({ name: 'plain', model: 'Wide' });
    expect(recipes).toEqual(['plain', 'full', 'short']);
    const { diagnostics } = ask({
      model: 'Flat',
      more: 'model Flat extends Net { without blocks; output y = head(x) }',
    });
    expect(diagnostics.map((d) => d.code)).toContain('CROB2322');
  });

  test('its own comes before its base’s', () => {
    const more = 'recipe own for Wide extends plain { epochs = 9 }';
    expect(recipe({ model: 'Wide', more })).toMatchObject({ name: 'own', length: { epochs: 9 } });
    expect(recipe({ model: 'Wide', recipe: 'plain', more })).toMatchObject({ name: 'plain', model: 'Wide' });
  });

  test('one that is not for the model, or not there, is nothing', () => {
    for (const asked of [
      { model: 'Other' },
      { recipe: 'plan' },
      { model: 'Nett' },
      { model: 'Other', recipe: 'plain' },
    ]) {
      const { training, diagnostics } = ask(asked);
      expect([training, diagnostics]).toEqual([undefined, []]);
    }
    expect(ask({ model: 'Other' }).recipes).toEqual([]);
    expect(ask({ model: 'Nett' }).models).toEqual(['Net', 'Wide', 'Other']);
  });

  test('a file of recipes alone trains the model that they are for', () => {
    const files = {
      'net.crob': source,
      'more.crob':
        'use net.{Net, plain}\nrecipe mine for Net extends plain { epochs = 1 }\nrecipe second extends mine { epochs = 2 }',
    };
    const options = { dims: new Map([['B', 2]]), overrides: ['recipe.lr=1', 'head.bias=false'] };
    const { training, diagnostics, recipes, models } = compileTraining(memoryHost(files), 'more.crob', options);
    expect(diagnostics).toEqual([]);
    expect(training!.recipe).toMatchObject({ name: 'mine', model: 'Net', length: { epochs: 1 }, optimizer: { lr: 1 } });
    expect([models, recipes]).toEqual([['Net'], ['mine', 'second', 'plain', 'full', 'short']]);
    const other = compileTraining(memoryHost(files), 'more.crob', { ...options, recipe: 'full' });
    expect(other.training!.recipe).toMatchObject({ name: 'full', augment: true });
  });
});

test('the inference form is at the recipe’s sizes, for any batch', () => {
  const { training } = ask({});
  const [output] = training!.inference.outputs;
  expect(output!.value.type.shape.map((dim) => dim.key)).toEqual(['B', '1']);
});

test('outputs for training are seen by terms and left out of inference', () => {
  const more = `
model Deep extends Net {
  output(train) scores = blocks[0](x)
}
recipe deep for Deep extends plain {
  term scores = mean(square(scores), "b c ->")
}`;
  const { training, diagnostics } = ask({ model: 'Deep', more });
  expect(diagnostics).toEqual([]);
  expect([...training!.recipe.terms.keys()]).toEqual(['error', 'scores']);
  expect(training!.inference.outputs.map(({ name }) => name)).toEqual(['y']);
});

describe('which weights are trained', () => {
  const frozen = (member: string, base = 'plain') => {
    const { training, diagnostics } = ask({ recipe: 'part', more: `recipe part extends ${base} { ${member} }` });
    expect(diagnostics).toEqual([]);
    return training!.weights.filter((weight) => weight.frozen).map(({ path }) => path);
  };
  const all = ['blocks.0.', 'blocks.1.'].flatMap((block) =>
    ['inner.weight', 'inner.bias', 'norm.weight', 'norm.bias'].map((name) => `${block}${name}`),
  );
  const head = ['head.weight', 'head.bias'];

  test.each<[string, readonly string[]]>([
    ['train only head.*', all],
    ['train only head.*, blocks[1].*', all.slice(0, 4)],
    ['train all except head.*', head],
    ['train all except blocks.*', all],
    ['train all except blocks[*].norm', all.filter((path) => path.includes('.norm.'))],
    ['train all except blocks.*.norm', all.filter((path) => path.includes('.norm.'))],
    ['train all except blocks[0].*.weight', [all[0]!, all[2]!]],
    ['train all except blocks[*].*.bias', all.filter((path) => path.endsWith('.bias'))],
    ['train only blocks.*; fix blocks[0].norm', [...all.slice(2, 4), ...head]],
    ['train all except head.*; fix blocks[0].*', [...all.slice(0, 4), ...head]],
  ])('%s', (member, expected) => {
    expect(frozen(member).sort()).toEqual([...expected].sort());
  });

  test('takes the place of what the base fixes, and a fix behind it counts', () => {
    expect(frozen('fix head.*', 'full').sort()).toEqual([...all.slice(0, 4), ...head].sort());
    expect(frozen('train all except head.*', 'full')).toEqual(expect.arrayContaining(head));
    expect(frozen('train all except head.*', 'full')).toHaveLength(2);
    const more = 'recipe part extends plain { train only blocks.* }\nrecipe less extends part { fix blocks[0].* }';
    const { training } = ask({ recipe: 'less', more });
    expect(
      training!.weights
        .filter((one) => !one.frozen)
        .map(({ path }) => path)
        .sort(),
    ).toEqual(all.slice(4).sort());
  });
});
