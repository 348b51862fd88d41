/**
 * Words and names of other languages and of PyTorch, each with the crob counterpart. `crobc` appends the text to the
 * message about the unknown word, name or member.
 */

/** Keywords of other languages. */
export const foreignWords: ReadonlyMap<string, string> = new Map([
  ['def', 'write `forward(…)` or `method name(…)` in a module, `fn name(…)` outside of one'],
  ['function', 'functions are declared with `fn`'],
  ['func', 'functions are declared with `fn`'],
  ['class', 'layers are declared with `module`'],
  ['struct', 'crob has no records; layers are declared with `module`'],
  ['import', 'names come by `use`: `use std.backbone.{SwinB}`; `Linear` and its like are there without'],
  ['from', 'names come by `use`: `use std.backbone.{SwinB}`; `Linear` and its like are there without'],
  ['var', 'names are bound with `let`, and `x = …` binds one anew'],
  ['const', 'names are bound with `let`'],
  ['val', 'names are bound with `let`'],
  ['elif', 'write `else if`'],
  ['while', 'loops run over static ranges: `for i in 0..4 { … }`'],
  ['match', 'write `if … { … } else if … { … }`'],
  ['switch', 'write `if … { … } else if … { … }`'],
  ['assert', 'write the condition as a `where` clause of the header'],
  ['lambda', 'declare a `fn` and name it'],
  ['pass', 'an empty block is `{ }`'],
  ['is', 'write `==` or `!=`: `norm != none`'],
  ['with', 'no block changes what is inside of it: `stop_gradient(x)` keeps gradients back'],
  ['try', 'what must hold is a `where` clause of the header, which callers have to meet'],
  ['except', 'what must hold is a `where` clause of the header, which callers have to meet'],
  ['raise', 'what must hold is a `where` clause of the header, which callers have to meet'],
  ['del', 'leave it out; a variant takes a part, and a recipe a term, out with `without name`'],
  ['delete', 'leave it out; a variant takes a part, and a recipe a term, out with `without name`'],
  ['remove', 'a variant takes a part, and a recipe a term, out with `without name`'],
  ['override', "leave it out: in a variant, `name = …` is what replaces the base's"],
  ['global', 'leave it out: a name of the file is there, and `x = …` binds a local one anew'],
  ['nonlocal', 'leave it out: `x = …` binds the name around anew'],
  ['yield', 'a list is `[f(x) for x in xs]`'],
  ['async', 'leave it out: a model is a graph, and its runtime decides what runs at once'],
  ['await', 'leave it out: a model is a graph, and its runtime decides what runs at once'],
  ['mut', 'leave it out: `x = …` binds a name anew'],
]);

/** Dtypes of PyTorch and NumPy, and their crob names. */
export const foreignDtypes: ReadonlyMap<string, string> = new Map([
  ['float32', 'f32'],
  ['float64', 'f32'],
  ['float16', 'f32'],
  ['bfloat16', 'f32'],
  ['double', 'f32'],
  ['half', 'f32'],
  ['Tensor', 'f32'],
  ['FloatTensor', 'f32'],
  ['ndarray', 'f32'],
  ['int32', 'i32'],
  ['int64', 'i64'],
  ['long', 'i64'],
  ['LongTensor', 'i64'],
  ['uint8', 'u8'],
  ['boolean', 'bool'],
]);

/** Returns advice for a type of PyTorch or NumPy; undefined for any other name. */
export function foreignType(name: string): string | undefined {
  const dtype = foreignDtypes.get(name);
  return dtype && `the type of a tensor is its dtype with its axes: \`${dtype}[B, C]\``;
}

/** Namespaces of PyTorch, NumPy and Python. */
export const foreignPrefixes: ReadonlySet<string> = new Set([
  'torch',
  'nn',
  'F',
  'np',
  'numpy',
  'jnp',
  'jax',
  'tf',
  'keras',
  'math',
  'einops',
  'timm',
  'torchvision',
]);

export const newAxis = 'a pattern adds an axis: `rearrange(x, "b c -> b 1 c")`';
const byElement = '`max(logits, 0.0) - logits * target + log(1.0 + exp(-abs(logits)))`';
const meanOfLosses = `\`cross_entropy(logits, target)\`, a term of a recipe, is the mean over all pixels; without a reduction it is ${byElement}`;
const superless =
  'a module has no base; in a variant of a model, the right side reads what the base gives: `mid.layers = mid.layers - 1`';
const recurrent =
  'a step is written out, and runs over a known number of words: `for t in 0..T { … }` under `where T == 20`';
const rearranged = 'axes go by names: `rearrange({x}, "b c h w -> b (h w) c")`';
const averaged = 'over named axes it is `mean({x}, "b c h w -> b c")`; so are `sum` and `amax`';
const dropped = 'an axis goes with an index, `{x}[:, 0]`, or `rearrange({x}, "b 1 c -> b c")`';
const asFunction = 'activations are functions: `relu(x)`, `gelu(x)`, `sigmoid(x)`, `tanh(x)`, `softmax(x)`';
const sized = '`size({x}, 0)` is the size of axis 0; in a signature, sizes have names: `{x}: f32[B, C, H, W]`';
const created = '`full(0.0, [N, 4])` is a tensor of one value; a weight is `param w: f32[4] ~ zeros`';
const drawn = '`uniform([B])` draws random numbers in training';
const inOrder =
  'a list of parts is `layers = [Linear(dim, dim) for i in 0..4]`, called by `for layer in layers { x = layer(x) }`';
const converted = '`f32({x})`, `i32({x})` and `bool({x})` convert a tensor';
const placed = 'where a graph runs is chosen by the command: `--device`';

/** Names that no declaration has, and members that tensors do not have; `{x}` is the object of a member access. */
export const foreignNames: ReadonlyMap<string, string> = new Map([
  ['self', 'the members of a module are named directly: `norm(x)`'],
  ['super', superless],
  ['__init__', 'a module takes its parameters in its header: `module Name(dim: int) { fc = Linear(dim, dim) }`'],
  ['kwargs', 'every parameter is declared, with its type'],
  ['args', 'every parameter is declared, with its type'],
  ['reversed', '`[xs[len(xs) - 1 - i] for i in 0..len(xs)]` is the reversed list'],
  [
    'checkpoint',
    'modules are computed twice, to save memory, where the training asks for it: `crobc train --recompute PATH`',
  ],
  [
    'cumsum',
    'a sum over what is in front is a matrix product: `einsum("i j, b j -> b i", f32(lower), x)`, where `lower` is `tensor bool[i in N, j in N] { j <= i }`',
  ],
  ['inf', 'no number is infinite; in a mask before `softmax` write `-1e9`'],
  ['nan', 'no number is NaN'],
  ['dropout', '`drop = Dropout(0.1)` is a part, called by `drop(x)`'],
  ['print', 'nothing is printed while a graph is made; `crobc summary` shows the shapes'],
  ['enumerate', 'write `for i, x in xs { … }`'],
  ['zip', 'write `for i, x in xs { … }` and `ys[i]`'],
  ['int', '`floor(x)` makes an int of a float, `i32(x)` converts a tensor'],
  ['isinstance', 'types are known: what may be none is asked `if part != none { … }`'],
  ['append', 'a list grows by `xs += [x]`'],
  ['cat', '`concat([a, b], "b * d")` joins tensors along the star'],
  ['concatenate', '`concat([a, b], "b * d")` joins tensors along the star'],
  ['chunk', '`split({x}, "b * d", [n, n])` cuts along the star, into parts of these sizes'],
  ['unbind', '`{x}[:, i]` is a part of it, and `[{x}[:, i] for i in 0..4]` the list'],
  ['view', rearranged],
  ['reshape', rearranged],
  ['permute', rearranged],
  ['transpose', rearranged],
  ['swapaxes', rearranged],
  ['movedim', rearranged],
  ['flatten', rearranged],
  ['unflatten', rearranged],
  ['T', rearranged],
  ['mT', rearranged],
  ['unsqueeze', '`rearrange({x}, "b c -> b c 1")` adds an axis of size 1'],
  ['squeeze', dropped],
  ['expand', '`repeat({x}, "b d -> b n d", n = N)` repeats along a new axis; operators broadcast by themselves'],
  ['tile', '`repeat({x}, "b d -> b n d", n = N)` repeats along a new axis'],
  ['contiguous', 'leave it out: how a tensor lies in memory has no meaning here'],
  ['clone', 'leave it out: tensors are never changed in place'],
  ['detach', 'write `stop_gradient({x})`'],
  ['no_grad', 'write `stop_gradient(x)`'],
  ['requires_grad', 'a recipe says what is trained: `fix backbone.*`'],
  ['backward', 'gradients are made by `crobc train`'],
  ['item', 'a tensor has no value while a graph is made; `x[0]` is a part of it'],
  ['shape', sized],
  ['size', sized],
  ['dim', sized],
  ['ndim', sized],
  ['numel', sized],
  ['dtype', 'dtypes are known: `f32({x})`, `i32({x})` and `bool({x})` convert'],
  ['float', converted],
  ['long', converted],
  ['half', '`crobc build --dtype f16` writes a model in half precision'],
  ['to', converted],
  ['type', converted],
  ['cuda', placed],
  ['cpu', placed],
  ['device', placed],
  ['mm', '`matmul(a, b)`, or by names `einsum("b n d, b m d -> b n m", q, k)`'],
  ['bmm', '`matmul(a, b)`, or by names `einsum("b n d, b m d -> b n m", q, k)`'],
  ['dot', '`matmul(a, b)`, or by names `einsum("b n d, b n d -> b n", q, k)`'],
  ['matmul', 'write `matmul({x}, b)`'],
  ['mean', averaged],
  ['sum', averaged],
  ['std', 'of the variance `mean(square({x} - m), …)` it is the `sqrt`'],
  ['var', '`mean(square({x} - m), "b n -> b")`, where `m` is the mean with its axis kept: `"b n -> b 1"`'],
  ['amin', '`-amax(-{x}, "b n -> b")`'],
  ['argmax', '`top_k({x}, 1).index` is where the largest are along the last axis'],
  ['topk', 'write `top_k({x}, k)`, which gives `(value, index)`'],
  ['sort', '`top_k({x}, k)` gives the k largest in order'],
  ['clamp', 'write `min(max({x}, low), high)`'],
  ['clip', 'write `min(max({x}, low), high)`'],
  ['pow', 'write `{x} ^ 2`'],
  ['rsqrt', 'write `1.0 / sqrt({x})`'],
  ['masked_fill', 'write `select(mask, value, {x})`'],
  ['where', 'write `select(condition, a, b)`'],
  ['arange', '`iota(n)` is an `i32` tensor 0, 1, …; a static list is `[i for i in 0..4]`'],
  ['linspace', '`tensor f32[i in N] { f32(i) / 10.0 }` computes a tensor from its indices'],
  ['meshgrid', '`tensor f32[i in H, j in W] { f32(i) }` computes a tensor from its indices'],
  ['tril', '`tensor bool[i in N, j in N] { j <= i }` computes a tensor from its indices'],
  ['triu', '`tensor bool[i in N, j in N] { i <= j }` computes a tensor from its indices'],
  ['eye', '`tensor f32[i in N, j in N] { f32(i == j) }` computes a tensor from its indices'],
  ['zeros', created],
  ['ones', created],
  ['zeros_like', created],
  ['ones_like', created],
  ['empty', created],
  ['rand', drawn],
  ['randn', drawn],
  ['silu', 'write `x * sigmoid(x)`'],
  ['swish', 'write `x * sigmoid(x)`'],
  ['SiLU', 'write `x * sigmoid(x)`'],
  ['leaky_relu', 'write `max(x, 0.01 * x)`'],
  ['LeakyReLU', 'write `max(x, 0.01 * x)`'],
  ['ReLU', asFunction],
  ['GELU', asFunction],
  ['Sigmoid', asFunction],
  ['Tanh', asFunction],
  ['Softmax', asFunction],
  ['normalize', 'write `x / sqrt(sum(square(x), "b n -> b 1"))`'],
  ['interpolate', '`resize(x, [height, width])` is bilinear; there are `resize_nearest` and `resize_area`'],
  ['Upsample', '`resize(x, [2*H, 2*W])` is bilinear; there are `resize_nearest` and `resize_area`'],
  ['ConvTranspose2d', '`resize(x, [2*H, 2*W])` and a `Conv2d` after it'],
  ['pixel_shuffle', '`rearrange(x, "b (c p q) h w -> b c (h p) (w q)", p = 2, q = 2)`'],
  ['PixelShuffle', '`rearrange(x, "b (c p q) h w -> b c (h p) (w q)", p = 2, q = 2)`'],
  ['MaxPool2d', '`max_pool2d(x, 3, stride = 2, padding = 1)` is a function'],
  ['AvgPool2d', '`average_pool(x, s)` gives s×s cells'],
  ['avg_pool2d', '`average_pool(x, s)` gives s×s cells'],
  ['AdaptiveAvgPool2d', '`adaptive_avg_pool(x, 1)` is a function'],
  ['adaptive_avg_pool2d', 'write `adaptive_avg_pool(x, 1)`'],
  ['BatchNorm2d', 'write `BatchNorm(channels)`'],
  ['BatchNorm1d', 'write `BatchNorm(channels)`'],
  ['InstanceNorm2d', 'write `InstanceNorm(channels)`'],
  ['Dropout2d', 'write `Dropout(rate)`, or `DropPath(rate)` for whole samples'],
  ['MultiheadAttention', 'write `MultiHeadAttention(…)`, or `SelfAttention(…)`'],
  [
    'scaled_dot_product_attention',
    '`MultiHeadAttention(…)` is a module; by hand, `softmax(einsum("b n d, b m d -> b n m", q, k))`',
  ],
  ['Sequential', inOrder],
  ['ModuleList', inOrder],
  ['Module', 'layers are declared with `module Name(dim: int) { … }`'],
  ['Parameter', 'a weight is `param w: f32[4, 4] ~ normal(std = 0.02)`'],
  ['register_buffer', 'a member that is not trained is `buffer mean: f32[dim] = zeros`'],
  ['Identity', '`norm = LayerNorm(dim) if c` is none where `c` does not hold'],
  ['CrossEntropyLoss', meanOfLosses],
  ['BCEWithLogitsLoss', meanOfLosses],
  ['binary_cross_entropy_with_logits', meanOfLosses],
  ['BCELoss', meanOfLosses],
  ['binary_cross_entropy', meanOfLosses],
  ['mse_loss', 'write `mean(square(x - y), "b n -> ")`'],
  ['MSELoss', 'write `mean(square(x - y), "b n -> ")`'],
  ['pi', 'write 3.141592653589793'],
  ['LSTM', recurrent],
  ['GRU', recurrent],
  ['RNN', recurrent],
  [
    'Conv1d',
    '`conv2d` takes a kernel of height 1, `param w: f32[8, 4, 1, 3] ~ trunc_normal(std = 0.02)`, over `rearrange(x, "b c n -> b c 1 n")`',
  ],
  ['Conv3d', 'there are convolutions over two axes alone: `Conv2d`'],
  ['TransformerEncoderLayer', 'the library has `SelfAttention(…)` and `Mlp(…)`'],
  ['ParameterList', 'a list of weights is one weight with an axis more: `param w: f32[n, dim] ~ zeros`'],
  ['ModuleDict', 'parts have names as members of a module; a list of parts is `[… for i in 0..4]`'],
]);

/** Tensor methods whose names are also common for parts and values: no advice is given for such a name on its own. */
const foreignMethods: ReadonlyMap<string, string> = new Map([
  ['norm', '`sqrt(sum(square({x}), "b n -> b 1"))` is the length along `n`'],
  ['logical_not', 'write `!{x}`'],
  ['logical_and', 'write `a && b`'],
  ['logical_or', 'write `a || b`'],
  ['eq', 'write `{x} == y`'],
  ['ne', 'write `{x} != y`'],
  ['lt', 'write `{x} < y`'],
  ['le', 'write `{x} <= y`'],
  ['gt', 'write `{x} > y`'],
  ['ge', 'write `{x} >= y`'],
  ['add', 'write `{x} + y`'],
  ['sub', 'write `{x} - y`'],
  ['mul', 'write `{x} * y`'],
  ['div', 'write `{x} / y`'],
  ['index_select', '`gather({x}, index)` takes rows; other axes are brought in front by `rearrange`'],
  ['take_along_dim', '`gather({x}, index)` takes rows; other axes are brought in front by `rearrange`'],
]);

/** Returns advice for an unknown name; `object` is put in for the object of a member access. */
export function foreignName(name: string, object: string): string | undefined {
  return foreignNames.get(name)?.replaceAll('{x}', object);
}

/** Returns advice for an unknown tensor method, or a function of `torch`. */
export function foreignMethod(name: string, object: string): string | undefined {
  const known = foreignMethods.get(name)?.replaceAll('{x}', object);
  return foreignName(name, object) ?? known ?? inPlace(name, object);
}

const inPlaceOperators: ReadonlyMap<string, string> = new Map([
  ['add_', '+'],
  ['sub_', '-'],
  ['mul_', '*'],
  ['div_', '/'],
  ['pow_', '^'],
]);

/** Returns advice for an in-place method of PyTorch: their names end in `_`. */
function inPlace(name: string, object: string): string | undefined {
  if (!/[a-z]_$/.test(name)) return undefined;
  const operator = inPlaceOperators.get(name);
  const plain = foreignName(name.slice(0, -1), object);
  const bound = operator
    ? `\`${object} = ${object} ${operator} y\` binds the name anew`
    : `\`${object} = …\` binds the name anew${plain === undefined ? '' : `; ${plain}`}`;
  return `nothing is changed in place: ${bound}`;
}

const trainedWeights =
  'paths say which weights are trained: `train only head.*`, `train all except backbone.*`, or `fix backbone.*` beside what is inherited';
const settingsOfRecipe: ReadonlyMap<string, string> = new Map([
  ['freeze', trainedWeights],
  ['frozen', trainedWeights],
  ['unfreeze', trainedWeights],
  ['freeze_backbone', trainedWeights],
  ['trainable', trainedWeights],
  ['requires_grad', trainedWeights],
  ['requires_grad_', trainedWeights],
  ['train', trainedWeights],
  ['loss', 'a loss is a term with a name: `term loss = mean(square(y - target), "b c -> ")`; terms are summed'],
  ['losses', 'a loss is a term with a name: `term loss = mean(square(y - target), "b c -> ")`; terms are summed'],
  ['criterion', 'a loss is a term with a name: `term loss = mean(square(y - target), "b c -> ")`; terms are summed'],
  ['loss_weights', 'a weight stands in its term: `term dice = 0.4 * dice(logits, target)`'],
  ['weight', 'a weight stands in its term: `term dice = 0.4 * dice(logits, target)`'],
  [
    'batch',
    'the batch is a size of the model: `recipe name for Model at B = 8`, or `recipe name extends base at B = 8`',
  ],
  [
    'batch_size',
    'the batch is a size of the model: `recipe name for Model at B = 8`, or `recipe name extends base at B = 8`',
  ],
  ['at', 'sizes stand in the header: `recipe name extends base at B = 8`'],
  ['wd', 'write `weight_decay`'],
  ['learning_rate', 'write `lr`'],
  ['num_epochs', 'write `epochs`'],
  ['max_epochs', 'write `epochs`'],
  ['max_steps', 'write `steps`'],
  ['iterations', 'write `steps`'],
  ['grad_clip', 'write `clip`: the norm of all gradients is held to it'],
  ['clip_grad', 'write `clip`: the norm of all gradients is held to it'],
  ['clip_grad_norm', 'write `clip`: the norm of all gradients is held to it'],
  ['grad_accum', 'write `accumulate`'],
  ['accumulation_steps', 'write `accumulate`'],
  ['warmup', 'warming up is a part of the schedule: `schedule = warmup(100) then cosine()`'],
  ['warmup_steps', 'warming up is a part of the schedule: `schedule = warmup(100) then cosine()`'],
  ['pretrained', 'published weights come by a path: `init backbone.* from "swin.safetensors" via huggingface_swin`'],
  ['checkpoint', 'published weights come by a path: `init backbone.* from "swin.safetensors" via huggingface_swin`'],
  ['load', 'published weights come by a path: `init backbone.* from "swin.safetensors" via huggingface_swin`'],
  ['lr_backbone', 'a part has its rate in a group: `group backbone.* { lr = 0.1x }`'],
  ['backbone_lr', 'a part has its rate in a group: `group backbone.* { lr = 0.1x }`'],
  ['amp', 'mixed precision is `precision = "bf16"`, or "f16" with a scaled loss'],
  ['fp16', 'write `precision = "f16"`; `crobc build --dtype f16` writes a trained model in half precision'],
  ['bf16', 'write `precision = "bf16"`'],
  ['drop', 'a term of the recipe that this one extends is taken out with `without name`'],
]);

/** Returns advice for an unknown recipe setting, or the word before one, that is known from training scripts. */
export function foreignSetting(name: string): string | undefined {
  return settingsOfRecipe.get(name);
}

/** Argument names of PyTorch layers, and their crob names. */
const argumentNames: ReadonlyMap<string, string> = new Map([
  ['in_features', 'inputs'],
  ['out_features', 'outputs'],
  ['in_channels', 'inputs'],
  ['out_channels', 'outputs'],
  ['kernel_size', 'kernel'],
  ['num_heads', 'heads'],
  ['embed_dim', 'dim'],
  ['num_channels', 'channels'],
  ['num_features', 'channels'],
  ['normalized_shape', 'channels'],
  ['num_groups', 'groups'],
  ['num_embeddings', 'count'],
  ['p', 'rate'],
  ['drop_prob', 'rate'],
]);
const otherArguments: ReadonlyMap<string, string> = new Map([
  ['reduction', `a loss is one number, mostly a mean; without a reduction, a cross-entropy is ${byElement}`],
  ['inplace', 'leave it out: nothing is changed in place'],
  ['device', 'leave it out: where a graph runs is chosen by the command'],
  ['dtype', 'leave it out: weights are f32'],
  ['padding_mode', 'leave it out: what is padded is 0; `pad` does it by hand'],
]);

/** Returns advice for an unknown argument: its crob name, if it is one of `names`, or what to write instead. */
export function foreignArgument(name: string, names: readonly string[]): string | undefined {
  const meant = argumentNames.get(name);
  return meant !== undefined && names.includes(meant) ? `did you mean \`${meant}\`?` : otherArguments.get(name);
}
