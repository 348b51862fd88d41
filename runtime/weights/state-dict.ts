import { quoted } from '../files/shown.ts';
import { UserError } from '../files/user-error.ts';
import { kindOf, type PickleTensor, type PickleValue } from '../pickle/pickle-value.ts';
import { shownPickle } from '../pickle/show-pickle.ts';
import type { FileRemark } from './tensor-file.ts';

/** The tensors of a pickled checkpoint by name, and what stands beside them. */
export interface StateDict {
  readonly tensors: ReadonlyMap<string, PickleTensor>;
  readonly remarks: readonly FileRemark[];
}

/** Names under which checkpoints store the weights of a model, most usual first. */
const usual = ['model', 'state_dict', 'model_state_dict', 'module', 'net', 'network', 'weights', 'params'];

/** Names of tensors that are not the weights of a model: states of optimizers, averages. */
const notWeights = /optim|sched|scaler|^amp$|ema|average|rng|hist/i;

/** Prefixes of wrappers around a model. */
const wrappers = ['module.', '_orig_mod.'];

/** Maximum depth of dictionaries around the tensors. */
const deepest = 3;

/** A dictionary with tensors, and the keys that lead to it. */
interface Found {
  readonly path: readonly string[];
  readonly tensors: readonly (readonly [string, PickleTensor])[];
}

/**
 * Finds the weights in a pickled value: a dictionary of tensors, or one inside of it, such as `model` or `state_dict`.
 * The tensors of further dictionaries, such as `bert_model`, have their key in front of their names. `module.` in front
 * of all names is removed. Throws a UserError without the file's name.
 */
export function stateDict(root: PickleValue): StateDict {
  const remarks: FileRemark[] = [];
  const found: Found[] = [];
  search(root, [], found, remarks);
  const used = found.filter(({ path }) => !path.some((key) => notWeights.test(key)));
  for (const one of found)
    if (!used.includes(one))
      remarks.push({ name: one.path.join('.'), text: `${one.tensors.length} tensors, not used` });
  const rank = ({ path }: Found) => {
    const at = usual.indexOf(path.at(-1) ?? '');
    return path.length === 0 ? -1 : at < 0 ? usual.length : at;
  };
  const [first, ...others] = used.toSorted((a, b) => rank(a) - rank(b));
  if (!first) throw new UserError(`it holds ${kindOf(root)} without tensors by name`);
  const tensors = new Map<string, PickleTensor>();
  for (const one of [first, ...others]) {
    const prefix = one === first ? '' : `${one.path.join('.')}.`;
    for (const [name, tensor] of unwrapped(one, remarks)) {
      const full = prefix + name;
      if (tensors.has(full)) throw new UserError(`it names the tensor ${quoted(full)} twice`);
      tensors.set(full, tensor);
    }
  }
  if (first.path.length > 0) remarks.unshift({ name: 'weights', text: `under ${quoted(first.path.join('.'))}` });
  return { tensors, remarks };
}

function search(value: PickleValue, path: readonly string[], found: Found[], remarks: FileRemark[]): void {
  if (typeof value !== 'object' || value === null || !('entries' in value)) return;
  const tensors = value.entries.flatMap(([key, item]) =>
    typeof key === 'string' && typeof item === 'object' && item?.kind === 'tensor' ? [[key, item] as const] : [],
  );
  if (tensors.length > 0) found.push({ path, tensors });
  for (const [key, item] of value.entries) {
    if (typeof item === 'object' && item?.kind === 'tensor') continue;
    const inner = typeof item === 'object' && item !== null && 'entries' in item && item.entries.length > 0;
    if (inner && typeof key === 'string' && path.length < deepest) {
      const before = found.length;
      search(item, [...path, key], found, remarks);
      if (found.length > before) continue;
    }
    // Of what is deeper, only the outermost is a remark.
    if (path.length === 0) remarks.push({ name: shownKey(key), text: shownPickle(item) });
  }
}

function shownKey(key: PickleValue): string {
  return typeof key === 'string' ? key : shownPickle(key, 60);
}

/** Removes the prefixes that wrappers give to all names. */
function unwrapped({ tensors }: Found, remarks: FileRemark[]): Found['tensors'] {
  const prefix = wrappers.find((one) => tensors.every(([name]) => name.startsWith(one)));
  if (prefix === undefined) return tensors;
  remarks.push({ name: 'names', text: `all begin with ${quoted(prefix)}, which is removed` });
  return unwrapped(
    { path: [], tensors: tensors.map(([name, tensor]) => [name.slice(prefix.length), tensor]) },
    remarks,
  );
}
