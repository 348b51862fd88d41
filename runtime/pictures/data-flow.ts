import type { Compiled } from '../../compiler/compile.ts';
import { contentsOf, type Entry } from '../../compiler/contents/contents.ts';
import { constant, type Dim, substitute } from '../../compiler/dims/dim.ts';
import type { Call, TemplateBody } from '../../compiler/elaborate/context/elaborated.ts';
import { childPath, isWithin } from '../../compiler/elaborate/context/paths.ts';
import { flatten } from '../../compiler/elaborate/context/template.ts';
import type { ModelGraph } from '../../compiler/elaborate/models/model.ts';
import type { Value } from '../../compiler/ir/graph.ts';
import type { TensorType } from '../../compiler/ir/types.ts';
import { pairs } from '../../compiler/lists.ts';
import { weightsOf } from '../weights/graph-weights.ts';

/** `operators` stands for operators and functions between the parts that combine values of several boxes. */
export type BoxKind = 'input' | 'output' | 'part' | 'weight' | 'operators';

export interface Box {
  /** The path of a part as overrides name it; for a list drawn as one box, with `[*]`. */
  readonly id: string;
  readonly kind: BoxKind;
  /** The path of the part itself, or of the part that reads a weight; '' for the model. */
  readonly part: string;
  /** The innermost group that contains it; undefined for the model's own equations. */
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
  /** Its path: `capm`, `text.embed`, `mid.layer[*]`. */
  readonly id: string;
  /** The path of its part. */
  readonly part: string;
  /** The group that contains it. */
  readonly group: string | undefined;
  /** Its name in the group that contains it. */
  readonly name: string;
  readonly module: string;
  /** Number of items of a list drawn as one group; otherwise 1. */
  readonly count: number;
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
 * Returns the parts of a model to a depth (1: the parts of the model as boxes; 2: their parts as boxes), with the values
 * between them. Similar items of a list are drawn as one.
 */
export function dataFlow({ context, model, graph, dims }: DrawnModel, depth = 2): DataFlow {
  if (!context || !model || !graph) throw new Error('bug in crobc: a model with errors has no picture');
  // If several parts have the same path in weights files, such as a wrapper
  // and its content, the outermost one is drawn.
  const parts = new Map<string, Part>();
  for (const entry of contentsOf(context, model))
    if (entry.kind === 'part' && !parts.has(entry.file)) parts.set(entry.file, entry);
  const names = new Map([...parts].map(([file, { path }]) => [file, path]));
  const bound = new Map<string, Dim>([...dims].map(([name, n]) => [name, constant(n)]));
  let lists: Lists = noLists;
  for (let level = 1; level <= depth; level++)
    lists = withLists(new Flow(model, names, { lists, depth: level, bound }), lists);
  const flow = new Flow(model, names, { lists, depth, bound });
  const membersOf = new Map<string, Part[]>();
  for (const part of parts.values()) {
    const id = lists.idOf(part.path);
    membersOf.set(id, [...(membersOf.get(id) ?? []), part]);
  }
  // Each weight belongs to the box with the longest path that contains it.
  const places = [...flow.boxes.values()].flatMap(({ id, kind, name, part }) => {
    const files = part === '' ? [''] : (membersOf.get(part) ?? []).map(({ file }) => file);
    if (kind === 'weight') return files.map((file) => ({ file: childPath(file, name), box: id }));
    return kind === 'part' ? files.map((file) => ({ file, box: id })) : [];
  });
  const parameters = new Map<string, number>();
  for (const { path, shape } of weightsOf(graph)) {
    let best: (typeof places)[number] | undefined;
    for (const place of places)
      if (isWithin(path, place.file) && place.file.length > (best?.file.length ?? -1)) best = place;
    if (!best) throw new Error(`bug in crobc: ${path} is in no box`);
    parameters.set(best.box, (parameters.get(best.box) ?? 0) + shape.reduce((a, b) => a * b, 1));
  }
  const boxes = [...flow.boxes.values()].map((box): Box => {
    const members = box.kind === 'part' ? (membersOf.get(box.part) ?? []) : [];
    const what = members[0]?.module ?? box.what;
    return { ...box, what, count: Math.max(1, members.length), parameters: parameters.get(box.id) ?? 0 };
  });
  const groups = [...flow.groups].map(([id, { part, group, name }]): Group => {
    const declared = group === undefined ? model.flat.params.get(part)?.decl.type : undefined;
    const inside = (one: string | undefined): boolean =>
      one !== undefined && (one === id || inside(flow.groups.get(one)?.group));
    const members = membersOf.get(part) ?? [];
    return {
      id,
      part,
      group,
      name,
      module: members[0]?.module ?? '',
      count: Math.max(1, members.length),
      slot: declared?.kind === 'named-type' ? declared.name.name : undefined,
      parameters: boxes.reduce((n, box) => n + (inside(box.group) ? box.parameters : 0), 0),
    };
  });
  const around = (id: string | undefined): string[] =>
    id === undefined ? [] : [id, ...around(flow.groups.get(id)?.group)];
  const filled = new Set(boxes.flatMap(({ group }) => around(group)));
  return { model: model.flat.name, groups: groups.filter(({ id }) => filled.has(id)), boxes, edges: flow.edges() };
}

/** A compiled model without errors. */
export type DrawnModel = Pick<Compiled, 'context' | 'model' | 'graph' | 'dims'>;

type Part = Extract<Entry, { kind: 'part' }>;

/** The origin of a value: the box that computes it, and its type there. */
interface Source {
  readonly box: string;
  readonly type: string;
}

type Sources = readonly Source[];
type PlainBox = Pick<Box, 'id' | 'kind' | 'part' | 'group' | 'name' | 'what'>;
interface PlainGroup {
  readonly part: string;
  readonly group: string | undefined;
  readonly name: string;
}
type Body = Pick<TemplateBody, 'nodes' | 'calls'>;

/**
 * The place of a body: its part's path in weights files, the number of parts around its operators, its group, and its
 * dims in terms of the model's.
 */
interface At {
  readonly path: string;
  readonly level: number;
  readonly group: string | undefined;
  readonly by: ReadonlyMap<string, Dim>;
}

interface FlowOptions {
  readonly lists: Lists;
  readonly depth: number;
  /** The sizes of dims that `--set` binds. */
  readonly bound: ReadonlyMap<string, Dim>;
}

/** Walks the bodies of the model and of its parts, and follows each value to the boxes that read it. */
class Flow {
  readonly boxes = new Map<string, PlainBox>();
  readonly groups = new Map<string, PlainGroup>();
  /** What goes into the item that is drawn of a list, and comes out, for lists that are drawn as one group. */
  readonly #drawn = new Map<string, { readonly args: readonly Sources[]; readonly results: readonly Sources[] }>();
  readonly #read = new Map<string, Map<string, Set<string>>>();
  /** Operator names of each box of operators. */
  readonly #labels = new Map<string, Set<string>>();
  readonly #merged = new Map<string, string>();
  readonly #model: ModelGraph;
  /** Paths of parts in weights files, each with the path that overrides use. */
  readonly #names: ReadonlyMap<string, string>;
  readonly #lists: Lists;
  readonly #depth: number;

  constructor(model: ModelGraph, names: ReadonlyMap<string, string>, { lists, depth, bound }: FlowOptions) {
    this.#model = model;
    this.#names = names;
    this.#lists = lists;
    this.#depth = depth;
    const values = new Map<Value, Sources>();
    for (const { name, value } of model.inputs) {
      const what = this.#show(value.type, bound);
      this.boxes.set(name, { id: name, kind: 'input', group: undefined, name, what, part: '' });
      values.set(value, [{ box: name, type: what }]);
    }
    this.#walk(model, { path: '', level: 0, group: undefined, by: bound }, values);
    for (const { name, value } of model.outputs) {
      const what = this.#show(value.type, bound);
      this.boxes.set(name, { id: name, kind: 'output', group: undefined, name, what, part: '' });
      this.#reads(name, values.get(value) ?? []);
    }
    this.#dropUnread();
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
        const part = path === '' ? '' : this.#partAt(path);
        const name = node.attributes.path;
        const id = `weight ${childPath(part, name)}`;
        const what = this.#show(node.outputs[0].type, by);
        // A weight that is read in a part's own body gets a box; weights of inner parts belong to the boxes of these.
        this.boxes.set(id, { id, kind: 'weight', group, name, what, part });
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

  #call(call: Call, { path, level, group, by }: At, values: Map<Value, Sources>, sources: Sources): void {
    const { body, label } = call.template;
    const below = call.absolute ? call.path : childPath(path, call.path);
    const give = (box: string): void => {
      for (const result of call.results) values.set(result, [{ box, type: this.#show(result.type, by) }]);
    };
    const isFunction = below === path;
    const part = this.#partAt(below);
    const id = isFunction ? (group ?? '') : level === 0 ? groupName(part, label) : part;
    const drawn = this.#drawn.get(id);
    if (drawn && !isFunction) {
      // Another item of a list that is drawn as one group: its values go to, and come from, the same boxes.
      for (const [i, arg] of call.args.entries()) this.#readsInside(id, drawn.args[i] ?? [], values.get(arg) ?? []);
      for (const [i, result] of call.results.entries()) {
        const type = this.#show(result.type, by);
        values.set(
          result,
          (drawn.results[i] ?? []).map(({ box }) => ({ box: this.#merged.get(box) ?? box, type })),
        );
      }
      return;
    }
    const isOpened = level + 1 < this.#depth;
    const isDrawnInside = isFunction ? path !== '' : isOpened;
    if (isDrawnInside) {
      const inner = new Map([...call.dims].map(([name, d]) => [name, substitute(d, by)]));
      const inside = new Map<Value, Sources>();
      for (const [placeholder, arg] of pairs(body.placeholders, call.args))
        inside.set(placeholder, values.get(arg) ?? []);
      if (!isFunction && !this.groups.has(id))
        this.groups.set(id, { part, group, name: level === 0 ? id : nameIn(this.#partAt(path), part) });
      const at = { path: below, level: level + (isFunction ? 0 : 1), group: isFunction ? group : id, by: inner };
      this.#walk(body, at, inside);
      const results = flatten(body.result).map((result) => inside.get(result) ?? []);
      for (const [outside, found] of pairs(call.results, results)) values.set(outside, found);
      if (!isFunction && this.#lists.gathered.has(part))
        this.#drawn.set(id, { args: call.args.map((arg) => values.get(arg) ?? []), results });
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
      // Several methods may use the same part: it is drawn at its first call. The model's own parts have a box each method.
      if (!this.boxes.has(id)) {
        const name = level === 0 ? id : nameIn(this.#partAt(path), part);
        this.boxes.set(id, { id, kind: 'part', group, name, what: '', part });
      }
      this.#reads(id, sources);
      give(id);
    }
  }

  /** The path of a part in overrides, with `[*]` for the lists that are drawn as one. */
  #partAt(path: string): string {
    return this.#lists.idOf(this.#names.get(path) ?? path);
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
    this.boxes.set(id, { id, kind: 'operators', group, name: '', what: '', part: '' });
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

  /** Lets the boxes in a group that read some values read others, too. Those from the group itself are left out. */
  #readsInside(group: string, known: Sources, others: Sources): void {
    const isInside = (one: string | undefined): boolean =>
      one !== undefined && (one === group || isInside(this.groups.get(one)?.group));
    const further = this.#distinct(others).filter(({ box }) => !isInside(this.boxes.get(box)?.group));
    const from = new Set(this.#distinct(known).map(({ box }) => box));
    for (const { id, group: own } of [...this.boxes.values()])
      if (isInside(own) && [...(this.#read.get(id)?.keys() ?? [])].some((box) => from.has(box)))
        this.#reads(id, further);
  }

  #dependsOn(box: string, other: string, seen: Set<string> = new Set()): boolean {
    if (box === other) return true;
    if (seen.has(box)) return false;
    seen.add(box);
    return [...(this.#read.get(box)?.keys() ?? [])].some((from) => this.#dependsOn(from, other, seen));
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

/** The name of a part in the part around it: `layer[*]` of `mid.layer[*]`. */
function nameIn(owner: string, part: string): string {
  return part.startsWith(`${owner}.`) ? part.slice(owner.length + 1) : part;
}

/** Returns `mid.layer[*]` for `mid.layer[3]`; undefined if the path is not that of a list item. */
function listOf(path: string): string | undefined {
  return /\[\d+\]$/.test(path) ? path.replace(/\[\d+\]$/, '[*]') : undefined;
}

/** The lists that are drawn as one box or group: `mid.layer[*]`. */
class Lists {
  readonly gathered: ReadonlySet<string>;

  constructor(gathered: ReadonlySet<string>) {
    this.gathered = gathered;
  }

  /** Replaces the index of each item of a gathered list: `mid.layer[*].norm` for `mid.layer[3].norm`. */
  idOf(path: string): string {
    let id = '';
    for (const piece of path.split(/(?<=\])/)) {
      const list = listOf(id + piece);
      id = list !== undefined && this.gathered.has(list) ? list : id + piece;
    }
    return id;
  }
}

const noLists = new Lists(new Set());

/**
 * Adds the lists among the boxes of a flow that are drawn as one: chains of which only the last item is read elsewhere,
 * and parallel items that are read at the same places.
 */
function withLists(flow: Flow, known: Lists): Lists {
  const lists = new Map<string, string[]>();
  for (const [id, { kind }] of flow.boxes) {
    const list = kind === 'part' ? listOf(id) : undefined;
    if (list !== undefined) lists.set(list, [...(lists.get(list) ?? []), id]);
  }
  const edges = flow.edges();
  const gathered = new Set<string>(known.gathered);
  const oneOf = (id: string): string => {
    const list = listOf(id);
    return list !== undefined && gathered.has(list) ? list : id;
  };
  const readersOf = (item: string, list: string): string[] => {
    const readers = edges.flatMap(({ from, to }) => (from === item && listOf(to) !== list ? [to] : []));
    return [...new Set(readers.map(oneOf))].sort();
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
  return new Lists(gathered);
}
