import type { Draw } from '../draws.ts';

/** JSON as text has it: names may come twice, and a leaf is whatever is written there. */
type Tree =
  | { readonly kind: 'object'; readonly members: [name: string, value: Tree][] }
  | { readonly kind: 'list'; readonly items: Tree[] }
  | { readonly kind: 'leaf'; readonly text: string };

/** Values that are seldom what a reader wants. */
const odd: readonly string[] = [
  ...['null', 'true', 'false', '0', '-0', '-1', '1.5', '1e9', '1e999', '-1e999', '1e-400', 'NaN', 'undefined', ''],
  ...['4294967296', '9007199254740993', '18446744073709551616', '9'.repeat(400)],
  ...['""', '"a"', '"\\u0000"', '"\\ud800"', '"\\u001b[2J"', '"a\\nb"', '"../../a"', '"/dev/zero"', '"__proto__"'],
  ...['"$&"', '"(a+)+$"', '"%s"', '"<script>"', `"${'x'.repeat(5000)}"`],
  ...['[]', '{}', '[[]]', '{"a":{}}', '[null]', '{"length":1e9}', '{"__proto__":{"a":1}}'],
];

const oddNames = ['__proto__', 'constructor', 'toString', 'length', '', 'a', '\u0000', '\u001b[31m', 'a\nb', '\u202e'];

/** Levels; the last is more than a stack holds, and takes long to write. */
const depths = [...Array(10).fill(10), ...Array(9).fill(300), 20_000];

/** Where a value stands, so that it can be changed. */
interface Place {
  readonly value: Tree;
  put(value: Tree): void;
}

/** One to four changes of a JSON text, as a tree; the text as it is where it is no JSON. */
export function mutateJson(text: string, draw: Draw): string {
  let root: Tree;
  try {
    root = treeOf(JSON.parse(text));
  } catch {
    return text;
  }
  do {
    const places: Place[] = [
      {
        value: root,
        put: (value) => {
          root = value;
        },
      },
    ];
    collect(root, places);
    // What is far down comes as often as what is far up: lists of numbers would hide the rest.
    const chosen = draw.once(2) ? draw.of(places.slice(0, 40)) : draw.of(places);
    change(chosen, places, draw);
  } while (draw.once(3));
  return written(root);
}

function change({ value, put }: Place, places: readonly Place[], draw: Draw): void {
  const object = value.kind === 'object' && value.members.length > 0 ? value.members : undefined;
  const list = value.kind === 'list' && value.items.length > 0 ? value.items : undefined;
  switch (draw.below(8)) {
    case 0:
    case 1:
      put(leaf(draw.of(odd)));
      break;
    case 2:
      // A copy, since it may be put below itself.
      put(structuredClone(draw.of(places).value));
      break;
    case 3: {
      const depth = draw.of(depths);
      const [open, close] = draw.once(2) ? ['[', ']'] : ['{"a":', '}'];
      put(leaf(`${open.repeat(depth)}1${close.repeat(depth)}`));
      break;
    }
    case 4: {
      const length = draw.of([2, 100, 100, 1000]);
      if (value.kind === 'leaf' && value.text.length < 100)
        put({ kind: 'list', items: Array.from({ length }, () => value) });
      break;
    }
    case 5:
      // The same name twice, with the same value or another.
      object?.splice(draw.below(object.length + 1), 0, [draw.of(object)[0], structuredClone(draw.of(places).value)]);
      list?.splice(draw.below(list.length + 1), 0, draw.of(list));
      break;
    case 6:
      object?.splice(draw.below(object.length), 1);
      list?.splice(draw.below(list.length), 1);
      break;
    default: {
      const member = object && draw.of(object);
      if (member) member[0] = draw.once(2) ? draw.of(oddNames) : `${member[0]}${draw.of(oddNames)}`;
    }
  }
}

function leaf(text: string): Tree {
  return { kind: 'leaf', text };
}

function treeOf(value: unknown): Tree {
  if (Array.isArray(value)) return { kind: 'list', items: value.map(treeOf) };
  if (typeof value !== 'object' || value === null) return leaf(JSON.stringify(value));
  return { kind: 'object', members: Object.entries(value).map(([name, member]) => [name, treeOf(member)]) };
}

function collect(tree: Tree, places: Place[]): void {
  if (tree.kind === 'object')
    for (const member of tree.members) {
      places.push({
        value: member[1],
        put: (value) => {
          member[1] = value;
        },
      });
      collect(member[1], places);
    }
  if (tree.kind === 'list')
    for (const [i, item] of tree.items.entries()) {
      places.push({
        value: item,
        put: (value) => {
          tree.items[i] = value;
        },
      });
      collect(item, places);
    }
}

function written(tree: Tree): string {
  switch (tree.kind) {
    case 'leaf':
      return tree.text;
    case 'list':
      return `[${tree.items.map(written).join(',')}]`;
    case 'object':
      return `{${tree.members.map(([name, value]) => `${JSON.stringify(name)}:${written(value)}`).join(',')}}`;
  }
}
