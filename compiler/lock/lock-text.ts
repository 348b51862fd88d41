import { groupedBy } from '../lists.ts';
import type { LockedModel, LockedPart } from './lock.ts';

/** A model in a lock file, with the line of its header. */
export interface LockEntry {
  /** The path of its source, relative to the folder of the lock file. */
  readonly file: string;
  readonly model: string;
  readonly locked: LockedModel;
  /** Offsets of the header in the text; undefined for an entry that is not written yet. */
  readonly span: { readonly start: number; readonly end: number } | undefined;
}

export type LockText =
  | { readonly kind: 'lock'; readonly entries: readonly LockEntry[] }
  | { readonly kind: 'fault'; readonly line: number; readonly message: string };

const header = 'crob.lock 1';

/**
 * Prints a lock file: models by file and name, a line for each fact, so that changes of different models, and of
 * different parts, merge in version control.
 */
export function printLock(entries: readonly LockEntry[]): string {
  const order = ({ file, model }: LockEntry) => `${file} ${model}`;
  const sorted = [...entries].sort((a, b) => (order(a) < order(b) ? -1 : 1));
  const lines = sorted.flatMap(({ file, model, locked }) => [
    '',
    `model ${model} in ${file}`,
    `  graph ${locked.graph}`,
    `  parameters ${locked.parameters}`,
    `  flop ${locked.flop}`,
    ...locked.signature.map((line) => `  ${line}`),
    ...partLines(locked.parts).map((line) => `  ${line}`),
  ]);
  return `${[header, '# Written by crobc check --update-lock.', ...lines].join('\n')}\n`;
}

/** One line for each part; items of a list that are the same share one: `part mid.layers.0..5 …`. */
function partLines(parts: ReadonlyMap<string, LockedPart>): string[] {
  const text = ({ module, parameters, hash }: LockedPart) => `${module} ${parameters} ${hash}`;
  const isItem = (path: string) => /\.\d+$/.test(path);
  const groups = groupedBy(parts, ([path, part]) =>
    isItem(path) ? `${path.replace(/\d+$/, '#')} ${text(part)}` : path,
  );
  return [...groups.values()].flatMap((group) => {
    const [[first, part]] = group;
    if (group.length === 1) return [`part ${first} ${text(part)}`];
    const list = first.replace(/\d+$/, '');
    return runs(group.map(([path]) => Number(path.slice(list.length)))).map(
      (items) => `part ${list}${items} ${text(part)}`,
    );
  });
}

/** Consecutive numbers as ranges: 0, 1, 2, 5 become `0..2` and `5`. */
function runs(numbers: readonly number[]): string[] {
  const found: { from: number; to: number }[] = [];
  for (const n of numbers) {
    const last = found.at(-1);
    if (last && last.to === n - 1) last.to = n;
    else found.push({ from: n, to: n });
  }
  return found.map(({ from, to }) => (from === to ? String(from) : `${from}..${to}`));
}

/** Lines that git writes where two branches changed the same place. */
const conflict = /^(<<<<<<<|=======|>>>>>>>|\|\|\|\|\|\|\|)/;

/**
 * Reads a lock file. With `lenient`, lines of a merge conflict are left out and the last entry of a model counts, so
 * that a file which is about to be written anew keeps the models that were not checked.
 */
export function readLock(text: string, lenient = false): LockText {
  const entries = new Map<string, LockEntry>();
  let open: Draft | undefined;
  let at = 0;
  const close = (): void => {
    if (open) entries.set(`${open.file} ${open.model}`, finished(open));
  };
  for (const [i, line] of text.split('\n').entries()) {
    const start = at;
    at += line.length + 1;
    const fault = (message: string) => ({ kind: 'fault', line: i + 1, message }) as const;
    const plain = line.trim();
    if (plain === '' || plain.startsWith('#')) continue;
    if (conflict.test(plain)) {
      if (lenient) continue;
      return fault('two branches changed it');
    }
    if (i === 0 || plain.startsWith('crob.lock ')) {
      if (plain !== header) return fault(`it does not begin with \`${header}\``);
      continue;
    }
    const [, model, file] = /^model (\w+) in (.+)$/.exec(plain) ?? [];
    if (model !== undefined && file !== undefined) {
      close();
      if (!lenient && entries.has(`${file} ${model}`)) return fault(`${model} in ${file} is there twice`);
      open = draft(model, file, { start, end: start + line.length });
    } else if (!open || !readFact(open, plain)) {
      if (!lenient) return fault(`\`${plain.slice(0, 40)}\` is no line of a lock file`);
    }
  }
  close();
  return { kind: 'lock', entries: [...entries.values()] };
}

interface Draft {
  readonly file: string;
  readonly model: string;
  readonly span: { readonly start: number; readonly end: number };
  readonly signature: string[];
  readonly parts: Map<string, LockedPart>;
  graph: string;
  parameters: number;
  flop: string;
}

function draft(model: string, file: string, span: Draft['span']): Draft {
  return { file, model, span, signature: [], parts: new Map(), graph: '', parameters: 0, flop: '' };
}

function finished({ file, model, span, ...locked }: Draft): LockEntry {
  return { file, model, span, locked };
}

/** Reads a line below a header into the draft; returns whether it is one. */
function readFact(draft: Draft, line: string): boolean {
  const space = line.indexOf(' ');
  const [kind, rest] = [line.slice(0, space), line.slice(space + 1)];
  switch (kind) {
    case 'graph':
      draft.graph = rest;
      return true;
    case 'parameters':
      draft.parameters = Number(rest);
      return Number.isInteger(draft.parameters);
    case 'flop':
      draft.flop = rest;
      return true;
    case 'where':
    case 'input':
    case 'output':
      draft.signature.push(line);
      return true;
    case 'part':
      return readPart(draft, rest);
    default:
      return false;
  }
}

function readPart({ parts }: Draft, text: string): boolean {
  const [path, module, count, hash, ...more] = text.split(' ');
  const parameters = Number(count);
  if (path === undefined || module === undefined || hash === undefined || more.length > 0) return false;
  if (!Number.isInteger(parameters)) return false;
  const part = { module, parameters, hash };
  const [, list, from, to] = /^(.*\.)(\d+)\.\.(\d+)$/.exec(path) ?? [];
  if (list === undefined) parts.set(path, part);
  // A list has at most 4,096 items.
  else for (let i = Number(from); i <= Math.min(Number(to), Number(from) + 4096); i++) parts.set(`${list}${i}`, part);
  return true;
}
