import { sizeText } from './size.ts';
import type {
  Argument,
  BinaryName,
  Body,
  Condition,
  Expr,
  Fn,
  Interface,
  Method,
  Module,
  Param,
  Part,
  Port,
  Program,
  Recipe,
  Side,
  Static,
  Type,
} from './tree.ts';

/** A program as crob. */
export function printProgram(program: Program): string {
  const { model } = program;
  const lines = [
    ...program.interfaces.map(printInterface),
    ...program.fns.map(printFn),
    ...program.modules.map(printModule),
    block(`model ${model.name}${paramList(model.params.map(paramText))}`, [
      ...model.parts.map(partText),
      ...model.inputs.map(
        ({ name, type, fed }) => `input ${name}: ${typeText({ ...type, dtype: fed as Type['dtype'] })}`,
      ),
      ...model.lets.map(({ name, value }) => `let ${name} = ${text(value)}`),
      ...model.outputs.map(
        ({ name, value, typed }) => `output ${name}${typed ? `: ${typeText(value.type)}` : ''} = ${text(value)}`,
      ),
    ]),
    ...program.variants.map(({ name, lines }, i) =>
      block(
        `model ${name} extends ${program.variants[i - 1]?.name ?? model.name}`,
        lines.map(({ path, value }) => `${path.join('.')} = ${argumentText(value)}`),
      ),
    ),
  ];
  const { recipe } = program;
  const trained = program.variants.at(-1)?.name ?? model.name;
  if (recipe)
    lines.push(
      block(`recipe plain for ${trained}${sizesText(recipe)}`, [
        ...recipe.inputs.map(portText).map((port) => `input ${port}`),
        ...recipe.terms.map(({ name, value }) => `term ${name} = ${text(value)}`),
        ...settingLines(recipe),
      ]),
    );
  return lines.join('\n');
}

function sizesText({ sizes }: Recipe): string {
  return sizes.length === 0 ? '' : ` at ${sizes.map(([name, n]) => `${name} = ${n}`).join(', ')}`;
}

function settingLines({ optimizer, clip, ema, accumulate, groups, fixed }: Recipe): readonly string[] {
  const { kind, ...numbers } = optimizer;
  const names: Readonly<Record<string, string>> = { weightDecay: 'weight_decay' };
  const given = Object.entries(numbers).map(([name, n]) => `${names[name] ?? name} = ${n}`);
  return [
    `optimizer = ${kind}(${['lr = 0.05', ...given].join(', ')})`,
    'steps = 4',
    ...(clip === undefined ? [] : [`clip = ${clip}`]),
    ...(ema === undefined ? [] : [`ema = ${ema}`]),
    ...(accumulate === 1 ? [] : [`accumulate = ${accumulate}`]),
    ...groups.map(({ part, lr, weightDecay }) => {
      const decay = weightDecay === undefined ? '' : `; weight_decay = ${weightDecay}`;
      return `group ${part}.* { lr = ${lr}x${decay} }`;
    }),
    ...fixed.map((part) => `fix ${part}.*`),
  ];
}

function block(head: string, lines: readonly string[]): string {
  return `${head} {\n${lines.map((line) => `  ${line.replaceAll('\n', '\n  ')}\n`).join('')}}\n`;
}

const paramList = (params: readonly string[]) => (params.length === 0 ? '' : `(${params.join(', ')})`);

function paramText({ name, kind, choices, slot, value }: Param): string {
  const types: Readonly<Record<Param['kind'], string>> = {
    int: 'int',
    float: 'float',
    flag: 'bool',
    choice: choices.map((one) => `"${one}"`).join(' | '),
    ints: 'list[int]',
    option: 'int?',
    slot: slot ?? '',
  };
  const start = value === undefined ? '' : ` = ${kind === 'slot' ? `${value}()` : staticText(value, kind === 'float')}`;
  return `${name}: ${types[kind]}${start}`;
}

export function staticText(value: Static, float = false): string {
  if (value === null) return 'none';
  if (typeof value === 'number') return float ? floatText(value) : String(value);
  if (typeof value === 'object') return `[${value.join(', ')}]`;
  return JSON.stringify(value);
}

export function floatText(value: number): string {
  return Number.isInteger(value) && !/e/.test(String(value)) ? value.toFixed(1) : String(value);
}

function argumentText(argument: Argument): string {
  switch (argument.kind) {
    case 'literal':
      return staticText(argument.value, typeof argument.value === 'number' && !Number.isInteger(argument.value));
    case 'size':
      return sizeText(argument.size);
    case 'read': {
      const { path, plus } = argument;
      return plus === 0 ? path : `${path} ${plus < 0 ? '-' : '+'} ${Math.abs(plus)}`;
    }
  }
}

function printInterface({ name, params, statics, args, type }: Interface): string {
  return block(`interface ${name}${paramList(params.map((one) => `${one}: int`))}`, [
    ...statics.map((one) => `static ${one}: int`),
    `forward(${args.map(portText).join(', ')}) -> ${typeText(type)}`,
  ]);
}

function printFn({ name, params, args, type, body }: Fn): string {
  const all = [...args.map(portText), ...params.map(paramText)];
  return block(`fn ${name}(${all.join(', ')}) -> ${typeText(type)}`, bodyLines(body));
}

function printModule(module: Module): string {
  const fills = module.fills === undefined ? '' : `: ${module.fills}`;
  return block(`module ${module.name}${paramList(module.params.map(paramText))}${fills}`, [
    ...module.statics.map(([name, value]) => `static ${name} = ${sizeText(value)}`),
    ...module.weights.map(({ name, shape, buffer, path, decay }) => {
      const type = typeText({ dtype: 'f32', shape });
      const at = `${decay ? '' : '@no_decay '}${path === undefined ? '' : `@path("${path}") `}`;
      return buffer ? `${at}buffer ${name}: ${type} = zeros` : `${at}param ${name}: ${type} ~ normal(std = 0.5)`;
    }),
    ...module.parts.map(partText),
    ...module.methods.map(methodText),
  ]);
}

function methodText({ name, args, type, body, early, updates }: Method): string {
  const head = name === 'forward' ? 'forward' : `method ${name}`;
  const training =
    updates.length === 0
      ? []
      : [
          block(
            'if training',
            updates.map((one) => `${one.name} <- ${text(one.value)}`),
          ).trimEnd(),
        ];
  return block(`${head}(${args.map(portText).join(', ')}) -> ${typeText(type)}`, [
    ...early.map((one) => `let ${one.name} = ${text(one.value)}`),
    ...training,
    ...bodyLines(body),
  ]).trimEnd();
}

function partText({ name, of, args, slots }: Part): string {
  const given = [
    ...args.map(([param, value]) => `${param} = ${argumentText(value)}`),
    ...slots.map(([param, module]) => `${param} = ${module}()`),
  ];
  return `${name} = ${of}(${given.join(', ')})`;
}

const portText = ({ name, type }: Port) => `${name}: ${typeText(type)}`;

export function typeText({ dtype, shape }: Type): string {
  return `${dtype}[${shape.map(sizeText).join(', ')}]`;
}

function bodyLines({ lets, result }: Body): string[] {
  return [...lets.map(({ name, value }) => `let ${name} = ${text(value)}`), `return ${text(result)}`];
}

const called = (name: string) => (a: string, b: string) => `${name}(${a}, ${b})`;
const between = (sign: string) => (a: string, b: string) => `(${a} ${sign} ${b})`;
const binaryTexts: Readonly<Record<BinaryName, (a: string, b: string) => string>> = {
  add: between('+'),
  sub: between('-'),
  mul: between('*'),
  div: between('/'),
  mod: between('%'),
  floordiv: (a, b) => `floor(${a} / ${b})`,
  max: called('max'),
  min: called('min'),
};
const comparisons = { eq: '==', ne: '!=', lt: '<', le: '<=', gt: '>', ge: '>=' } as const;
const letters = 'abcdefgh';

/** Names for the axes of a tensor. */
const axes = (rank: number) => [...letters.slice(0, rank)];
const starred = (rank: number, axis: number) =>
  axes(rank)
    .map((name, i) => (i === axis ? '*' : name))
    .join(' ');

function text(e: Expr): string {
  const args = e.args.map(text);
  const [a = '', b = '', c = ''] = args;
  const rank = e.args[0]?.type.shape.length ?? 0;
  switch (e.op) {
    case 'name':
      return e.at.name;
    case 'number':
      return e.type.dtype === 'f32' ? signed(floatText(e.at.value)) : signed(String(e.at.value));
    case 'full': {
      return `full(${elementText(e.type.dtype, e.at.value)}, [${e.type.shape.map(sizeText).join(', ')}])`;
    }
    case 'unary':
      if (e.at.fn === 'neg') return `(-${a})`;
      if (e.at.fn === 'gelu_tanh') return `gelu(${a}, approximate = true)`;
      return `${e.at.fn}(${a})`;
    case 'binary':
      return binaryTexts[e.at.fn](a, b);
    case 'compare':
      return `(${a} ${comparisons[e.at.fn]} ${b})`;
    case 'logic':
      return `(${a} ${e.at.fn === 'and' ? '&&' : '||'} ${b})`;
    case 'not':
      return `(!${a})`;
    case 'select':
      return `select(${a}, ${b}, ${c})`;
    case 'pattern': {
      const { how, left, right, sizes, given } = e.at;
      const pattern = `"${left.map(sideText).join(', ')} -> ${sideText(right)}"`;
      const named = sizes.filter(([name]) => given.includes(name)).map(([name, of]) => `${name} = ${sizeText(of)}`);
      return how === 'einsum'
        ? `einsum(${[pattern, ...args, ...named].join(', ')})`
        : `${how}(${[a, pattern, ...named].join(', ')})`;
    }
    case 'concat':
      return `concat([${args.join(', ')}], "${starred(rank, e.at.axis)}")`;
    case 'stack': {
      const names = axes(rank);
      names.splice(e.at.axis, 0, '*');
      return `stack([${args.join(', ')}], "${names.join(' ')}")`;
    }
    case 'slice':
      return `${a}[${e.at.ranges
        .map((range) =>
          range === 'all'
            ? ':'
            : 'index' in range
              ? sizeText(range.index)
              : `${sizeText(range.from)}..${sizeText(range.to)}`,
        )
        .join(', ')}]`;
    case 'pad': {
      const { axis, low, high, value } = e.at;
      return `pad(${a}, "${axes(rank).join(' ')}", ${letters[axis]} = (${sizeText(low)}, ${sizeText(high)}), value = ${floatText(value)})`;
    }
    case 'roll':
      return `roll(${a}, "${axes(rank).join(' ')}", ${letters[e.at.axis]} = ${e.at.by})`;
    case 'softmax':
      return `${e.at.log ? 'log_softmax' : 'softmax'}(${a}, "${starred(rank, e.at.axis)}")`;
    case 'layer_norm':
      return `layer_norm(${args.join(', ')}, eps = ${e.at.eps})`;
    case 'matmul':
      return `matmul(${a}, ${b})`;
    case 'conv': {
      const { stride, padding, dilation, groups } = e.at;
      return `conv2d(${a}, ${b}, stride = ${stride}, padding = ${padding}, dilation = ${dilation}, groups = ${groups})`;
    }
    case 'pool':
      return `max_pool2d(${a}, ${e.at.kernel}, stride = ${e.at.stride})`;
    case 'sample':
      return `grid_sample(${a}, ${b})`;
    case 'gather':
      return `gather(${a}, ${b})`;
    case 'scatter':
      return `scatter_add(${a}, ${b}, ${sizeText(e.at.rows)})`;
    case 'top':
      return `top_k(${a}, ${sizeText(e.at.k)}).${e.at.part}`;
    case 'cast':
      return `${e.type.dtype}(${a})`;
    case 'as':
      return `(${a} as ${typeText(e.type)})`;
    case 'iota':
      return `iota(${sizeText(e.type.shape[0] ?? { terms: [] })})`;
    case 'size':
      return `${e.type.dtype}(${sizeText(e.at.size)})`;
    case 'indexed': {
      const indices = e.at.names.map((name, i) => `${name} in ${sizeText(e.type.shape[i] ?? { terms: [] })}`);
      return `(tensor ${e.type.dtype}[${indices.join(', ')}] { ${a} })`;
    }
    case 'choose':
      return `(if ${conditionText(e.at.when)} { ${a} } else { ${b} })`;
    case 'fold':
      return `(if true { let ${e.at.name} = ${a}; for ${e.at.item} in ${e.at.list} { ${e.at.name} = ${b} }; ${e.at.name} } else { ${a} })`;
    case 'call':
      return `${e.at.fn}(${[...args, ...e.at.statics.map(argumentText)].join(', ')})`;
    case 'apply':
      return `${e.at.part}${e.at.method === 'forward' ? '' : `.${e.at.method}`}(${args.join(', ')})`;
  }
}

function elementText(dtype: Type['dtype'], value: number): string {
  if (dtype === 'bool') return String(value !== 0);
  return dtype === 'f32' ? floatText(value) : `i32(${value})`;
}

const signed = (number: string) => (number.startsWith('-') ? `(${number})` : number);

function sideText(side: Side): string {
  return side
    .map((names) => (names.length === 0 ? '1' : names.length === 1 ? names[0] : `(${names.join(' ')})`))
    .join(' ');
}

function conditionText(condition: Condition): string {
  switch (condition.kind) {
    case 'flag':
      return condition.name;
    case 'is':
      return `${condition.name} == "${condition.text}"`;
    case 'given':
      return `${condition.name} != none`;
    case 'more':
      return `${sizeText(condition.left)} > ${condition.right}`;
    case 'training':
      return 'training';
  }
}
