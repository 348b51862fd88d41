// Computes the data flow of an elaborated model, its parts and the values between them, for the architecture picture.
import type { Compiled } from '../../compiler/compile.ts';
import { contentsOf, type Entry } from '../../compiler/contents/contents.ts';
import { type Dim, substitute } from '../../compiler/dims/dim.ts';
import type { Call, TemplateBody } from '../../compiler/elaborate/context/elaborated.ts';
import { childPath, isWithin } from '../../compiler/elaborate/context/paths.ts';
import { flatten } from '../../compiler/elaborate/context/template.ts';
import type { ModelGraph } from '../../compiler/elaborate/models/model.ts';
import type { Value } from '../../compiler/ir/graph.ts';
import type { TensorType } from '../../compiler/ir/types.ts';
import { pairs } from '../../compiler/lists.ts';
import { weightsOf } from '../../runtime/weights/graph-weights.ts';

/** `operators` stands for operators and functions between the parts that combine values of several boxes. */
export type BoxKind = 'input' | 'output' | 'part' | 'weight' | 'operators';

export interface Box {
  /** The path of a part as overrides name it; for a list drawn as one box, with `[*]`. */
  readonly id: string;
  readonly kind: BoxKind;
  /** The group that contains it; undefined for the model's own equations. */
  readonly group: string | undefined;
  /** Its name in its owner: `layer[*]`; for operators, their names. */
  readonly name: string;
  /** The module of a part; the type of an input, output or weight. */
  readonly what: string;
  /** Number of items of a list drawn as one box; otherwise 1. */
  readonly count: number;
  /** Number of elements of its weights. */
  readonly parameters: number;
}

/** Values that one box computes and another one reads. */
export interface Edge {
  readonly from: string;
  readonly to: string;
  /** Distinct types of the values, such as `B, 128, H/4, W/4`, in the order in which they are read. */
  readonly types: readonly string[];
}

/** A part of the model with its contents; if the model calls several of its methods, one group for each method. */
export interface Group {
  /** The name in the model: `capm`, `text.embed`. */
  readonly name: string;
  readonly module: string;
  /** The interface of its slot; undefined if its module is fixed. */
  readonly slot: string | undefined;
  /** Number of elements of the weights in its boxes. */
  readonly parameters: number;
}

export interface DataFlow {
  readonly model: string;
  readonly groups: readonly Group[];
  readonly boxes: readonly Box[];
  readonly edges: readonly Edge[];
}

/**
 * Returns the parts of a model and their parts, with the values between them. Similar
 * items of a list are drawn as one box.
 */
export function dataFlow({ context, model, graph }: Compiled): DataFlow {
  if (!context || !model || !graph) throw new Error('a model with errors has no picture');
  // If several parts have the same path in weights files, such as a wrapper
  // and its content, the outermost one is drawn.
  const parts = new Map<string, Part>();
  for (const entry of contentsOf(context, model))
    if (entry.kind === 'part' && !parts.has(entry.file)) parts.set(entry.file, entry);
  const names = new Map([...parts].map(([file, { path }]) => [file, path]));
  const flow = new Flow(model, names, gatheredLists(new Flow(model, names, new Set())));
  const membersOf = ({ id }: PlainBox) => [...parts.values()].filter(({ path }) => flow.idOf(path) === id);
  // Each weight belongs to the box with the longest path that contains it.
  const places = [...flow.boxes.values()].flatMap((box) =>
    box.kind === 'weight' ? [{ file: box.id, box: box.id }] : membersOf(box).map(({ file }) => ({ file, box: box.id })),
  );
  const parameters = new Map<string, number>();
  for (const { path, shape } of weightsOf(graph)) {
    const around = places.filter(({ file }) => isWithin(path, file)).sort((a, b) => b.file.length - a.file.length);
    const box = around[0]?.box;
    if (box === undefined) throw new Error(`${path} is in no box`);
    parameters.set(box, (parameters.get(box) ?? 0) + shape.reduce((a, b) => a * b, 1));
  }
  const boxes = [...flow.boxes.values()].map((box): Box => {
    const members = membersOf(box);
    const what = members[0]?.module ?? box.what;
    return { ...box, what, count: Math.max(1, members.length), parameters: parameters.get(box.id) ?? 0 };
  });
  const groups = [...flow.groups].map(([name, path]): Group => {
    const declared = model.flat.params.get(path)?.decl.type;
    return {
      name,
      module: [...parts.values()].find((part) => part.path === path)?.module ?? '',
      slot: declared?.kind === 'named-type' ? declared.name.name : undefined,
      parameters: boxes.reduce((n, box) => n + (box.group === name ? box.parameters : 0), 0),
    };
  });
  return { model: model.flat.name, groups, boxes, edges: flow.edges() };
}

type Part = Extract<Entry, { kind: 'part' }>;

/** The origin of a value: the box that computes it, and its type there. */
interface Source {
  readonly box: string;
  readonly type: string;
}

type Sources = readonly Source[];
type PlainBox = Pick<Box, 'id' | 'kind' | 'group' | 'name' | 'what'>;
type Body = Pick<TemplateBody, 'nodes' | 'calls'>;

/** The place of a body: its part's path in weights files, its group, and its dims in terms of the model's. */
interface At {
  readonly path: string;
  readonly group: string | undefined;
  readonly by: ReadonlyMap<string, Dim>;
}

/** Walks the bodies of the model and of its parts, and follows each value to the boxes that read it. */
class Flow {
  readonly boxes = new Map<string, PlainBox>();
  /** Group names, each with the path of its part. */
  readonly groups = new Map<string, string>();
  readonly #read = new Map<string, Map<string, Set<string>>>();
  /** Operator names of each box of operators. */
  readonly #labels = new Map<string, Set<string>>();
  readonly #merged = new Map<string, string>();
  readonly #model: ModelGraph;
  /** Paths of parts in weights files, each with the path that overrides use. */
  readonly #names: ReadonlyMap<string, string>;
  readonly #gathered: ReadonlySet<string>;

  constructor(model: ModelGraph, names: ReadonlyMap<string, string>, gathered: ReadonlySet<string>) {
    this.#model = model;
    this.#names = names;
    this.#gathered = gathered;
    const values = new Map<Value, Sources>();
    for (const { name, value } of model.inputs) {
      const what = this.#show(value.type, new Map());
      this.boxes.set(name, { id: name, kind: 'input', group: undefined, name, what });
      values.set(value, [{ box: name, type: what }]);
    }
    this.#walk(model, { path: '', group: undefined, by: new Map() }, values);
    for (const { name, value } of model.outputs) {
      const what = this.#show(value.type, new Map());
      this.boxes.set(name, { id: name, kind: 'output', group: undefined, name, what });
      this.#reads(name, values.get(value) ?? []);
    }
    this.#dropUnread();
  }

  /** Returns the box id of a part: that of its list if the list is drawn as one box. */
  idOf(path: string): string {
    const list = listOf(path);
    return list !== undefined && this.#gathered.has(list) ? list : path;
  }

  edges(): Edge[] {
    return [...this.#read].flatMap(([to, sources]) =>
      [...sources].map(([from, types]) => ({ from, to, types: [...types] })),
    );
  }

  #walk({ nodes, calls }: Body, at: At, values: Map<Value, Sources>): void {
    const { path, group, by } = at;
    const sourcesOf = (all: readonly Value[]): Sources =>
      this.#distinct(all.flatMap((value) => values.get(value) ?? []));
    let next = 0;
    const callsBefore = (position: number): void => {
      for (let call = calls[next]; call && call.at <= position; call = calls[++next])
        this.#call(call, at, values, sourcesOf(call.args));
    };
    for (const [i, node] of nodes.entries()) {
      callsBefore(i);
      if (values.has(node.outputs[0])) continue;
      if (node.op === 'weight') {
        const id = childPath(path, node.attributes.path);
        const what = this.#show(node.outputs[0].type, by);
        // A weight that is read in a part's own body gets a box; weights of inner parts belong to the boxes of these.
        const name = node.attributes.path;
        this.boxes.set(id, { id, kind: 'weight', group, name, what });
        values.set(node.outputs[0], [{ box: id, type: what }]);
        continue;
      }
      const sources = sourcesOf(node.inputs);
      const isJoin = new Set(sources.map(({ box }) => box)).size > 1;
      for (const output of node.outputs) {
        const type = this.#show(output.type, by);
        values.set(output, isJoin ? [{ box: this.#join(group, node.origin.label, sources), type }] : sources);
      }
    }
    callsBefore(nodes.length);
  }

  #call(call: Call, { path, group, by }: At, values: Map<Value, Sources>, sources: Sources): void {
    const { body, label } = call.template;
    const below = call.absolute ? call.path : childPath(path, call.path);
    const give = (box: string): void => {
      for (const result of call.results) values.set(result, [{ box, type: this.#show(result.type, by) }]);
    };
    const isFunction = below === path;
    const isDrawnInside = isFunction ? path !== '' : path === '';
    if (isDrawnInside) {
      const inner = new Map([...call.dims].map(([name, d]) => [name, substitute(d, by)]));
      const inside = new Map<Value, Sources>();
      for (const [placeholder, arg] of pairs(body.placeholders, call.args))
        inside.set(placeholder, values.get(arg) ?? []);
      const name = isFunction ? group : groupName(this.#names.get(below) ?? below, label);
      if (name !== undefined && !this.groups.has(name)) this.groups.set(name, this.#names.get(below) ?? below);
      this.#walk(body, { path: below, group: name, by: inner }, inside);
      for (const [outside, result] of pairs(call.results, flatten(body.result)))
        values.set(outside, inside.get(result) ?? []);
    } else if (isFunction) {
      // A function that the model's own equations call, such as `resize`.
      give(this.#operators(group, label, sources));
    } else if (flatten(body.result).every((result) => body.placeholders.includes(result))) {
      // Returns its arguments in this form of the model, as dropout does in inference.
      for (const [outside, result] of pairs(call.results, flatten(body.result))) {
        const arg = call.args[body.placeholders.indexOf(result)];
        values.set(outside, (arg && values.get(arg)) ?? []);
      }
    } else {
      const id = this.idOf(this.#names.get(below) ?? below);
      const owner = this.#names.get(path) ?? path;
      // Several methods may use the same part: it is drawn at its first call.
      if (!this.boxes.has(id))
        this.boxes.set(id, { id, kind: 'part', group, name: id.slice(owner.length + 1), what: '' });
      this.#reads(id, sources);
      give(id);
    }
  }

  /**
   * Returns a box of operators that reads several boxes. Consecutive operators share
   * one unless there is a part between them.
   */
  #join(group: string | undefined, label: string, sources: Sources): string {
    const read = [...new Set(sources.map(({ box }) => box))];
    const [first, ...others] = read.filter((id) => {
      const box = this.boxes.get(id);
      if (box?.kind !== 'operators' || box.group !== group) return false;
      return read.every((other) => other === id || !this.#dependsOn(other, id));
    });
    if (first === undefined) return this.#operators(group, label, sources);
    for (const other of others) this.#merge(other, first);
    this.#labels.get(first)?.add(label);
    this.#reads(first, sources);
    return first;
  }

  #merge(from: string, into: string): void {
    for (const label of this.#labels.get(from) ?? []) this.#labels.get(into)?.add(label);
    for (const [box, types] of this.#read.get(from) ?? [])
      this.#reads(
        into,
        [...types].map((type) => ({ box, type })),
      );
    this.boxes.delete(from);
    this.#read.delete(from);
    this.#merged.set(from, into);
  }

  #operators(group: string | undefined, label: string, sources: Sources): string {
    const id = `operators ${this.#labels.size}`;
    this.boxes.set(id, { id, kind: 'operators', group, name: '', what: '' });
    this.#labels.set(id, new Set([label]));
    this.#reads(id, sources);
    return id;
  }

  #reads(to: string, sources: Sources): void {
    const read = this.#read.get(to) ?? new Map<string, Set<string>>();
    this.#read.set(to, read);
    for (const { box: id, type } of sources) {
      const box = this.#merged.get(id) ?? id;
      if (box !== to) read.set(box, (read.get(box) ?? new Set()).add(type));
    }
  }

  #dependsOn(box: string, other: string): boolean {
    return box === other || [...(this.#read.get(box)?.keys() ?? [])].some((from) => this.#dependsOn(from, other));
  }

  /** Removes boxes that no output depends on, and names the boxes of operators. */
  #dropUnread(): void {
    const needed = new Set<string>();
    const visit = (id: string): void => {
      if (needed.has(id)) return;
      needed.add(id);
      for (const from of this.#read.get(id)?.keys() ?? []) visit(from);
    };
    for (const { name } of this.#model.outputs) visit(name);
    for (const [id, box] of this.boxes) {
      if (!needed.has(id)) {
        this.boxes.delete(id);
        this.#read.delete(id);
      } else if (box.kind === 'operators')
        this.boxes.set(id, { ...box, name: [...(this.#labels.get(id) ?? [])].join(', ') });
    }
  }

  #distinct(sources: Sources): Sources {
    const now = sources.map(({ box, type }): Source => ({ box: this.#merged.get(box) ?? box, type }));
    return [...new Map(now.map((source) => [`${source.box} ${source.type}`, source])).values()];
  }

  #show({ dtype, shape }: TensorType, by: ReadonlyMap<string, Dim>): string {
    return `${dtype}[${shape.map((d) => this.#model.facts.show(substitute(d, by))).join(', ')}]`;
  }
}

/** Returns `text.embed` for a method, and the part alone for `forward`, which a template's label omits. */
function groupName(part: string, label: string): string {
  const at = label.lastIndexOf('.');
  return at < 0 ? part : `${part}${label.slice(at)}`;
}

/** Returns `mid.layer[*]` for `mid.layer[3]`; undefined if the path is not that of a list item. */
function listOf(path: string): string | undefined {
  return /\[\d+\]$/.test(path) ? path.replace(/\[\d+\]$/, '[*]') : undefined;
}

/**
 * Returns the lists to draw as one box: chains of which only the last item is read elsewhere, and parallel
 * items that are read at the same places.
 */
function gatheredLists(flow: Flow): ReadonlySet<string> {
  const lists = new Map<string, string[]>();
  for (const id of flow.boxes.keys()) {
    const list = listOf(id);
    if (list !== undefined) lists.set(list, [...(lists.get(list) ?? []), id]);
  }
  const edges = flow.edges();
  const gathered = new Set<string>();
  const readersOf = (item: string, list: string): string[] => {
    const readers = edges.flatMap(({ from, to }) => (from === item && listOf(to) !== list ? [to] : []));
    const names = readers.map((to) => {
      const other = listOf(to);
      return other !== undefined && gathered.has(other) ? other : to;
    });
    return [...new Set(names)].sort();
  };
  for (let size = -1; size < gathered.size; ) {
    size = gathered.size;
    for (const [list, items] of lists) {
      const readers = items.map((item) => readersOf(item, list).join());
      const isChain = items.every(
        (item, i) => i === 0 || edges.some(({ from, to }) => from === items[i - 1] && to === item),
      );
      const isParallel = !edges.some(({ from, to }) => items.includes(from) && items.includes(to));
      const isOne = isChain ? readers.slice(0, -1).every((r) => r === '') : isParallel && new Set(readers).size === 1;
      if (items.length > 1 && isOne) gathered.add(list);
    }
  }
  return gathered;
}
