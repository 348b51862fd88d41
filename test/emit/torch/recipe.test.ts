import { expect, test } from 'vitest';
import { emitTorch } from '../../../compiler/emit/torch/emit.ts';
import { compileTraining } from '../../../compiler/training/compile-training.ts';
import { memoryHost } from '../../memory-host.ts';

/** Writes a model and its recipe; returns the part of `recipe.py` from the losses on, its imports, facts and messages. */
function written(source: string, overrides: readonly string[] = []) {
  const { program, training, diagnostics } = compileTraining(memoryHost({ 'net.crob': source }), 'net.crob', {
    dims: new Map(),
    overrides,
  });
  if (!training) throw new Error(`the source is wrong: ${diagnostics.map(({ message }) => message).join('; ')}`);
  const { context, model } = training.elaborated;
  const made = emitTorch(program, context, model, { weights: [], sourceName: (file) => file, training }).training;
  if (!made) throw new Error('the recipe is not written');
  const text = made.files.find(({ name }) => name === 'recipe.py')?.text ?? '';
  return {
    text: text.slice(text.indexOf('def losses(')),
    imports: text.split('\n').filter((line) => line.startsWith('from .')),
    facts: made.facts,
    messages: made.diagnostics.map(({ code, message }) => `${code} ${message}`),
  };
}

const net = `module Block(channels: int) {
  conv = Conv2d(3, channels, 1)
  norm = BatchNorm(channels)
  drop = Dropout(0.5)
  forward(x: f32[B, 3, H, W]) -> f32[B, channels, H, W] { return drop(norm(conv(x))) }
}
model Net where H % 2 == 0, W % 2 == 0 {
  block = Block(4)
  score = Conv2d(4, 1, 1)
  input image: f32[B, 3, H, W]
  let seen = block(image)
  let map = score(seen)
  output logits: f32[B, 1, H, W] = map
  output(train) coarse = [resize(map, [H/2, W/2]), resize(map, [1, 1])]
  output(train) pairs = einsum("b c h w, d c h w -> b d", seen, seen)
}
`;
const recipe = `recipe quick for Net at B = 2, H = 4, W = 6 {
  input target: f32[B, 1, H, W]
  let small = resize_area(target, [H/2, W/2])
  /// All pixels.
  term ce = cross_entropy(logits, target, foreground = 2.0)
  term small = mean(softplus(coarse_0) - coarse_0 * small, "b c h w ->") * (H*W)
  optimizer = SGD(lr = 0.1, momentum = 0.9)
  schedule = warmup(2) then cosine(0.1) then constant(0.5)
  epochs = 3
  accumulate = 2
  clip = 0.5
  ema = 0.99
  group block.* { lr = 0.1x; weight_decay = 0.05 }
  train all except score.bias
  eval block.norm
}
`;

test('the losses and the settings of a recipe', () => {
  const { text, imports, messages } = written(net + recipe);
  expect(messages).toEqual([]);
  expect(imports).toEqual(['from .net import Net, NetOutput', 'from .training.settings import (']);
  expect(text).toBe(`def losses(outputs: NetOutput, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The terms of the loss of quick; their sum is the loss."""

    logits = outputs.logits
    coarse = outputs.coarse
    if coarse is None:
        raise ValueError("losses need outputs of training: call model.train()")
    target = batch["target"]
    _, _, H, W = target.shape
    small = resize_area(target, [H // 2, W // 2])
    # ce: All pixels.
    return {
        "ce": cross_entropy(logits, target, foreground=2.0),
        "small": (F.softplus(coarse[0]) - coarse[0] * small).mean() * (H * W),
    }


RECIPE = Recipe(
    name="quick",
    model="Net",
    dims={"B": 2, "H": 4, "W": 6},
    inputs=("image",),
    batched=("logits", "coarse"),
    coupled=("pairs",),
    terms={
        "ce": "cross_entropy(logits, target, foreground = 2.0)",
        "small": 'mean(softplus(coarse_0) - coarse_0 * small, "b c h w ->") * (H*W)',
    },
    optimizer=SGD(lr=0.1, momentum=0.9, weight_decay=0.0),
    schedule=(Warmup(2), Cosine(end=0.1), Constant(0.5)),
    epochs=3,
    accumulate=2,
    clip=0.5,
    ema=0.99,
    evaluate_every=1,
    protocol="lavt",
    metric="mIoU",
    seed=0,
    groups=(Group("block.*", roots=("block",), lr=Times(0.1), weight_decay=0.05),),
    untrained=(Selection("score.bias", roots=("score.bias",)),),
    evaluated=(Selection("block.norm", roots=("block.norm",)),),
)

PROGRAM = Program(
    folder=Path(__file__).parent,
    model=Net,
    recipe=RECIPE,
    losses=losses,
)
`);
});

test('what a step reads of the graph: weights that losses depend on, and random draws', () => {
  const { facts } = written(`${net}recipe quick for Net at B = 2, H = 4, W = 6 {
  input target: f32[B, 1, H, W]
  term ce = mean(stop_gradient(logits) * target, "b c h w ->") + mean(coarse_1, "b c h w ->")
  optimizer = AdamW(lr = 0.1)
  steps = 1
  fix block.conv
}
`);
  expect(facts.draws).toEqual([{ key: 'uniform/block.drop.0.0', shape: [2, 4, 4, 6] }]);
  const found = Object.entries(facts.weights).map(([path, { role, decays, learned }]) => [path, role, decays, learned]);
  expect(found).toEqual(
    expect.arrayContaining([
      ['block.conv.weight', 'param', true, true],
      ['block.norm.weight', 'param', false, true],
      ['block.norm.running_mean', 'buffer', false, false],
      ['score.bias', 'param', false, true],
    ]),
  );
});

test('a model with one output, a term that is a number, and names that functions have', () => {
  const { text, messages } = written(`model One {
  score = Conv2d(3, 1, 1)
  input image: f32[B, 3, H, W]
  output logits: f32[B, 1, H, W] = score(image)
}
recipe one for One at B = 2, H = 4, W = 6 {
  input target: f32[B, 1, H, W]
  term dice = 0.5 * dice(logits, target)
  term floor = 0.25
  optimizer = AdamW(lr = 0.1)
  steps = 1
}
`);
  expect(messages).toEqual([]);
  expect(
    text.slice(0, text.indexOf('\n\n\n')),
  ).toBe(`def losses(logits: Tensor, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The terms of the loss of one; their sum is the loss."""

    target = batch["target"]
    return {
        "dice": 0.5 * dice(logits, target),
        "floor": torch.tensor(float(0.25), device=logits.device),
    }`);
});

test('--set changes the recipe', () => {
  const { text } = written(net + recipe, ['recipe.lr = 0.5']);
  expect(text).toContain('SGD(lr=0.5,');
});
