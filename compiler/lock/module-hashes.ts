import { print as printDim } from '../dims/dim.ts';
import type { Call, Template, TemplateBody } from '../elaborate/context/elaborated.ts';
import { childPath } from '../elaborate/context/paths.ts';
import { flatten, flattenType } from '../elaborate/context/template.ts';
import type { ModelGraph } from '../elaborate/models/model.ts';
import type { Node, Value } from '../ir/graph.ts';
import { printNode, printType } from '../ir/print.ts';

/**
 * Hashes of what a module computes. They depend on its equations and static values, but not on the sizes of what it is
 * called with, on names of `let`s, or on equations that no result needs.
 */
export interface ModuleHashes {
  /** Of its own equations; of a module that they call, only the path, the types and the sizes. */
  readonly own: string;
  /** Of its own equations and those of all modules inside. */
  readonly whole: string;
}

type Body = Pick<TemplateBody, 'nodes' | 'calls'>;

/** Returns a hash of a text in hexadecimal; platforms have faster ones than `ir/hash.ts`. */
export type Hash = (text: string) => string;

/** Returns the hashes of the modules of a model by path in weights files; '' is the model's own body. */
export function moduleHashes(model: ModelGraph, hash: Hash): Map<string, ModuleHashes> {
  const hashes = new MethodHashes(hash);
  const outputs = model.outputs.map(({ value }) => value);
  const root = hashes.ofBody(
    model,
    model.inputs.map(({ value }) => value),
    outputs,
  );
  const methods = new Map<string, Map<string, ModuleHashes>>();
  const seen = new Set<string>();
  const walk = (calls: readonly Call[], path: string): void => {
    for (const call of calls) {
      const below = call.absolute ? call.path : childPath(path, call.path);
      const { template } = call;
      const key = `${below} ${template.key}`;
      if (seen.has(key)) continue;
      seen.add(key);
      if (isModuleCall(call)) {
        const own = methods.get(below) ?? new Map<string, ModuleHashes>();
        methods.set(below, own.set(`${template.label} ${own.size}`, hashes.of(template)));
      }
      walk(template.body.calls, below);
    }
  };
  walk(model.calls, '');
  const joined = (all: ReadonlyMap<string, ModuleHashes>, kind: keyof ModuleHashes): string =>
    hash([...all].map(([label, found]) => `${label} ${found[kind]}`).join('\n'));
  return new Map([
    ['', root],
    ...[...methods].map(([path, all]) => [path, { own: joined(all, 'own'), whole: joined(all, 'whole') }] as const),
  ]);
}

/** A call of a function is part of the body that calls it. */
function isModuleCall({ path, absolute }: Call): boolean {
  return path !== '' || absolute;
}

class MethodHashes {
  /** Templates are shared by the instances of a module, so each is hashed once. */
  readonly #known = new Map<Template, ModuleHashes>();
  readonly #hash: Hash;

  constructor(hash: Hash) {
    this.#hash = hash;
  }

  of(template: Template): ModuleHashes {
    let found = this.#known.get(template);
    if (!found) {
      found = this.ofBody(template.body, template.body.placeholders, flatten(template.body.result));
      this.#known.set(template, found);
    }
    return found;
  }

  /** Prints the nodes and calls that the results need, in the order in which the results reach them. */
  ofBody(body: Body, placeholders: readonly Value[], results: readonly Value[]): ModuleHashes {
    const names = new Map<Value, string>();
    for (const [i, value] of placeholders.entries()) names.set(value, `$${i}`);
    const own: string[] = placeholders.map(({ type }, i) => `$${i} : ${printType(type)}`);
    const whole: string[] = [...own];
    for (const producer of producers(body, new Set(placeholders), results)) {
      const values = 'template' in producer ? producer.results : producer.outputs;
      for (const value of values) if (!names.has(value)) names.set(value, `%${names.size}`);
      if ('template' in producer) {
        const line = this.#call(producer, names);
        const { whole: inside } = this.of(producer.template);
        own.push(isModuleCall(producer) ? line : `${line} ${inside}`);
        whole.push(`${line} ${inside}`);
      } else {
        const line = printNode(producer, names);
        own.push(line);
        whole.push(line);
      }
    }
    const returned = `return ${results.map((value) => names.get(value)).join(', ')}`;
    return { own: this.#hash([...own, returned].join('\n')), whole: this.#hash([...whole, returned].join('\n')) };
  }

  #call({ template, path, absolute, dims, args, results }: Call, names: ReadonlyMap<Value, string>): string {
    const sizes = [...dims].map(([name, dim]) => `${name}=${printDim(dim)}`).join(' ');
    const types = flattenType(template.result, '').map(({ type }) => printType(type));
    const given = args.map((value) => names.get(value)).join(', ');
    const made = results.map((value) => names.get(value)).join(', ');
    return `${made} = call ${absolute ? '/' : ''}${path} ${template.label} (${given}) ${sizes} : ${types.join(', ')}`;
  }
}

type Producer = Node | Call;

/** The nodes and calls that results need, each after what it reads. */
function producers({ calls }: Body, given: ReadonlySet<Value>, results: readonly Value[]): Producer[] {
  const callOf = new Map<Value, Call>();
  for (const call of calls) for (const result of call.results) callOf.set(result, call);
  const order: Producer[] = [];
  const seen = new Set<Producer>();
  const stack: { readonly producer: Producer; readonly reads: readonly Value[]; next: number }[] = [];
  const enter = (value: Value): void => {
    if (given.has(value)) return;
    const producer = callOf.get(value) ?? value.node;
    if (seen.has(producer)) return;
    seen.add(producer);
    stack.push({ producer, reads: 'template' in producer ? producer.args : producer.inputs, next: 0 });
  };
  for (const result of results) {
    enter(result);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const read = top.reads[top.next++];
      if (read !== undefined) enter(read);
      else {
        order.push(top.producer);
        stack.pop();
      }
    }
  }
  return order;
}
