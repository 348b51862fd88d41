import type { Span } from '../../../grammar/span.ts';
import type { Block, Expr, Statement } from '../../../grammar/tree.ts';
import { nodesBelow } from '../../../grammar/within.ts';
import type { FileScope } from '../../elaborate/source/file-scope.ts';
import { type AttentionPlan, planAttention, writeAttention } from './attention.ts';
import { elementOf } from './builtin-call.ts';
import { commentBehind, commentsAbove } from './comments.ts';
import { translateExpression } from './expressions.ts';
import { either, given, int, type Kind, none, resultType } from './kinds.ts';
import { memberName, variableName } from './names.ts';
import { narrow, partsPresent } from './present.ts';
import { assign, atom, attribute, call, method, type Py, type PyStatement } from './python/tree.ts';
import type { Package, Scope, SelfScope, Signature, Value } from './scope.ts';

/** A variable of the generated function. */
interface Variable {
  readonly python: string;
  kind: Kind;
  readonly any: boolean;
  /** Whether it is a parameter, whose lists have the type Sequence. */
  readonly isParam: boolean;
  /** Whether a statement of its own declares it, which can state its type. */
  isLet: boolean;
  /** Whether its first assignment states its type. */
  annotated: boolean;
}

export interface BodyOptions {
  readonly pack: Package;
  readonly file: FileScope;
  readonly self: SelfScope | undefined;
  /** A parameter, static, part or weight of the module. */
  readonly member: (name: string) => Value | undefined;
  readonly device: Py | undefined;
  /** Whether the module is in training. */
  readonly training: Py | undefined;
  /** The kind of the result. */
  readonly result: Kind;
}

/** Translates the body of one function or method. */
export class Body implements Scope {
  readonly pack: Package;
  readonly self: SelfScope | undefined;
  /** The dims of the signature that the body reads. */
  readonly dims = new Set<string>();
  readonly #options: BodyOptions;
  readonly #locals: Map<string, Value & { readonly variable?: Variable }>[] = [new Map()];
  readonly #emitted: PyStatement[][] = [[]];
  #file: FileScope;
  /** Names of lists that the body changes. */
  #changed: ReadonlySet<string> = new Set();
  #dimNames: ReadonlySet<string> = new Set();
  #attention: AttentionPlan | undefined;
  /** Variables for results that have a type. */
  readonly #results = new Set<string>();
  /** The names that the body reads; undefined before it is known. */
  #read: ReadonlySet<string> | undefined;

  constructor(options: BodyOptions) {
    this.#options = options;
    this.pack = options.pack;
    this.self = options.self;
    this.#file = options.file;
  }

  get file(): FileScope {
    return this.#file;
  }

  get statements(): readonly PyStatement[] {
    return this.#emitted[0] ?? [];
  }

  /** Declares the dims of the signature. */
  withDims(names: ReadonlySet<string>): void {
    this.#dimNames = names;
  }

  /** Declares a parameter of the function. */
  param(name: string, kind: Kind): string {
    const python = variableName(name);
    const variable: Variable = { python, kind, any: false, isParam: true, isLet: false, annotated: true };
    this.#locals[0]?.set(name, { py: atom(python), kind, any: false, variable });
    return python;
  }

  readonly translate = (expr: Expr, hint?: string): Value => {
    const attention = this.#attention?.calls.get(expr);
    return attention
      ? writeAttention(this, attention)
      : translateExpression(this, this.#attention?.names.get(expr) ?? expr, hint);
  };

  readonly emit = (statement: PyStatement): void => {
    this.#emitted.at(-1)?.push(statement);
  };

  readonly apart = <T>(work: () => T): { readonly value: T; readonly statements: readonly PyStatement[] } => {
    const statements: PyStatement[] = [];
    this.#emitted.push(statements);
    const value = work();
    this.#emitted.pop();
    return { value, statements };
  };

  readonly nested = <T>(work: () => T): T => {
    this.#locals.push(new Map());
    const value = work();
    this.#locals.pop();
    return value;
  };

  readonly bind = (name: string, value: Value): void => {
    this.#locals.at(-1)?.set(name, value);
  };

  readonly within = <T>(file: FileScope, work: () => T): T => {
    const before = this.#file;
    this.#file = file;
    const value = work();
    this.#file = before;
    return value;
  };

  readonly declare = (name: string, kind: Kind, any: boolean): string => this.#variable(name, kind, any).python;

  #variable(name: string, kind: Kind, any: boolean): Variable {
    const own = this.#locals.at(-1);
    const again = own?.get(name)?.variable;
    const around = this.#locals
      .slice(0, -1)
      .flatMap((map) => [...map.values()].map(({ variable }) => variable?.python));
    const here = [...(own ?? [])].flatMap(([key, { variable }]) => (key === name ? [] : [variable?.python]));
    const taken = (python: string) => this.pack.isTaken(python) || [...around, ...here].includes(python);
    const python = again?.python ?? variableName(name, taken);
    const variable: Variable = { python, kind, any, isParam: false, isLet: false, annotated: false };
    own?.set(name, { py: atom(python), kind, any, variable });
    return variable;
  }

  readonly device = (span: Span): Py =>
    this.#options.device ?? this.pack.refuse(span, 'make a tensor where no other tensor says on which device').py;

  readonly lookup = (name: string): Value | undefined => {
    for (let i = this.#locals.length - 1; i >= 0; i--) {
      const found = this.#locals[i]?.get(name);
      if (found) return found;
    }
    if (this.#dimNames.has(name)) {
      this.dims.add(name);
      return { py: atom(variableName(name)), kind: int, any: false };
    }
    const member = this.#options.member(name);
    if (member) return member;
    const { training } = this.#options;
    if (name === 'training' && training) return { py: training, kind: { kind: 'bool' }, any: false };
    return undefined;
  };

  readonly block = ({ statements, value }: Block, hint?: string): Value => {
    this.run(statements);
    return value ? this.translate(value, hint) : { py: atom('None'), kind: none, any: false };
  };

  /** States the names that are read: unpacked items that are not among them have an underscore. */
  reads(names: ReadonlySet<string>): void {
    this.#read = names;
  }

  /** Translates the body of a function or method, whose value is returned. */
  whole(block: Block): void {
    const { statements, value } = block;
    this.#read = new Set(
      nodesBelow({ statements, value }).flatMap((node) => (node.kind === 'name' ? [node.name] : [])),
    );
    this.#changed = new Set(changedLists(statements));
    for (const name of this.#changed) {
      const own = this.#locals[0]?.get(name);
      if (own && given(own.kind).kind === 'list') this.emit(assign(textOf(own), call('list', [own.py])));
    }
    this.#attention = planAttention(this, block);
    this.run(this.#attention.statements);
    if (value) this.#return(value);
  }

  /** Translates the body of a function that states no result type; returns the kind of its value. */
  returned({ statements, value }: Block): Kind {
    this.run(statements);
    const found = value && this.translate(value);
    if (found) this.emit({ kind: 'return', value: found.py, comment: undefined });
    return found?.kind ?? none;
  }

  run(statements: readonly Statement[]): void {
    for (const statement of statements) this.#statement(statement);
  }

  #statement(statement: Statement): void {
    const source = this.#file.tree.text;
    for (const text of commentsAbove(source, statement.span)) this.emit({ kind: 'comment', text });
    const comment = commentBehind(source, statement.span);
    if (this.#attention?.dropped.has(statement)) {
      if (comment !== undefined) this.emit({ kind: 'comment', text: comment });
      return;
    }
    switch (statement.kind) {
      case 'let': {
        for (const text of statement.docs) this.emit({ kind: 'comment', text });
        this.#let(statement.name.name, statement.value, comment);
        break;
      }
      case 'let-items': {
        const value = this.translate(statement.value);
        this.#items(
          statement.names.map(({ item, name }) => ({ item: item.name, name: name.name })),
          value,
          comment,
        );
        break;
      }
      case 'assign':
        this.#assign(statement.target, statement.op, statement.value, comment);
        break;
      case 'update': {
        const value = this.translate(statement.value);
        const target = attribute(atom('self'), memberName(statement.target.name));
        this.emit({ kind: 'expression', value: method(target, 'copy_', [method(value.py, 'detach', [])]) });
        break;
      }
      case 'if-statement': {
        const test = this.translate(statement.condition);
        const { ifTrue, ifFalse } = partsPresent(statement.condition);
        const then = this.#branch(statement.then, ifTrue);
        const otherwise = this.#branch(statement.otherwise ?? [], ifFalse);
        this.emit({ kind: 'if', test: test.py, then: then.statements, otherwise: otherwise.statements });
        if (statement.then.at(-1)?.kind === 'return') narrow(this, ifFalse);
        break;
      }
      case 'for': {
        const { index, item, iterable } = statement.clause;
        const over = this.translate(iterable);
        const of = elementOf(over.kind);
        this.nested(() => {
          const position = index && this.declare(index.name, int, false);
          const name = this.declare(item.name, of, given(of).kind === 'part' || over.any);
          const { statements } = this.apart(() => this.run(statement.body));
          const counted = position === undefined ? over.py : call('enumerate', [over.py]);
          const target = position === undefined ? name : `${position}, ${name}`;
          this.emit({ kind: 'for', target, iterable: counted, body: statements });
        });
        break;
      }
      case 'return':
        this.#return(statement.value, comment);
        break;
    }
  }

  #branch(statements: readonly Statement[], present: readonly string[]) {
    return this.apart(() =>
      this.nested(() => {
        narrow(this, present);
        this.run(statements);
      }),
    );
  }

  #let(name: string, expr: Expr, comment: string | undefined): void {
    const value = this.translate(expr, name);
    const changes = this.#changed.has(name) && given(value.kind).kind === 'list';
    const isOwn = value.py.kind === 'list' || value.py.kind === 'comprehension';
    const variable = this.#variable(name, value.kind, value.any);
    variable.isLet = true;
    const py = changes && !isOwn ? call('list', [value.py]) : value.py;
    if (py.kind === 'atom' && py.text === variable.python) return;
    this.#declared(variable, py, comment);
  }

  /** Emits the first assignment of a variable, which states its type where type checkers cannot find it. */
  #declared(variable: Variable, value: Py, comment: string | undefined): void {
    if (variable.kind.kind === 'none' || (value.kind === 'list' && value.items.length === 0)) variable.annotated = true;
    const annotation = () => (variable.annotated ? resultType(variable.kind) : undefined);
    this.emit({ kind: 'assign', target: variable.python, annotation, value, comment });
  }

  #items(
    names: readonly { readonly item: string; readonly name: string }[],
    value: Value,
    comment: string | undefined,
  ): void {
    const own = given(value.kind);
    if (own.kind === 'tuple') {
      const inOrder = names.length === own.items.length && names.every(({ item }, i) => own.items[i]?.name === item);
      const kindOf = (item: string) => own.items.find((one) => one.name === item);
      if (inOrder) {
        const targets = names.map(({ item, name }) => {
          const python = this.declare(name, kindOf(item)?.of ?? none, value.any);
          return this.#read?.has(name) === false ? `_${python}` : python;
        });
        this.emit({
          kind: 'assign',
          target: targets.join(', '),
          annotation: () => undefined,
          value: value.py,
          comment,
        });
        return;
      }
      const whole = value.py.kind === 'atom' ? value.py : atom(this.declare('result', own, value.any));
      if (whole !== value.py)
        this.emit({
          kind: 'assign',
          target: textOf({ py: whole }),
          annotation: () => undefined,
          value: value.py,
          comment,
        });
      for (const { item, name } of names) {
        const of = kindOf(item);
        if (of) this.emit(assign(this.declare(name, of.of, value.any), attribute(whole, of.attribute)));
      }
      return;
    }
    const targets = names.map(({ name }) => this.declare(name, elementOf(own), value.any));
    this.emit({ kind: 'assign', target: targets.join(', '), annotation: () => undefined, value: value.py, comment });
  }

  #assign(target: Expr, op: '=' | '+=' | '-=' | '*=', expr: Expr, comment: string | undefined): void {
    const held = this.translate(target);
    const isList = given(held.kind).kind === 'list';
    if (op === '+=' && isList && expr.kind === 'list') {
      for (const item of expr.items) {
        const value = this.translate(item);
        this.#widen(target, { kind: 'list', of: value.kind });
        this.emit({ kind: 'expression', value: method(held.py, 'append', [value.py]) });
      }
      return;
    }
    const value = this.translate(expr, target.kind === 'name' ? target.name : undefined);
    this.#widen(target, target.kind === 'name' ? value.kind : { kind: 'list', of: value.kind });
    if (op === '+=' && isList) {
      this.emit({ kind: 'expression', value: method(held.py, 'extend', [value.py]) });
      return;
    }
    const operator = op === '+=' ? '+' : op === '-=' ? '-' : '*';
    const py: Py = op === '=' ? value.py : { kind: 'binary', op: operator, left: held.py, right: value.py };
    const text = oneLineTarget(held.py);
    if (py.kind === 'atom' && py.text === text) return;
    this.emit(assign(text, py, comment));
  }

  /** A variable that first is none or empty is of the kind of what it is given later. */
  #widen(target: Expr, kind: Kind): void {
    const name =
      target.kind === 'name'
        ? target.name
        : target.kind === 'index' && target.object.kind === 'name'
          ? target.object.name
          : undefined;
    if (name === undefined) return;
    for (let i = this.#locals.length - 1; i >= 0; i--) {
      const own = this.#locals[i]?.get(name);
      if (!own) continue;
      const wider = either(own.kind, kind);
      if (own.variable) own.variable.kind = wider;
      this.#locals[i]?.set(name, { ...own, kind: wider });
      return;
    }
  }

  /** Emits a statement that returns a value with the type that the function states. */
  #return(expr: Expr, comment?: string): void {
    const source = this.#file.tree.text;
    const refusal = messageOf(expr);
    if (refusal) {
      this.emit({ kind: 'raise', error: call('ValueError', [this.translate(refusal).py]) });
      return;
    }
    const behind = comment ?? commentBehind(source, expr.span);
    const { result } = this.#options;
    if (expr.kind === 'tuple' && result.kind === 'tuple') {
      const args = expr.items.map(({ name, value }) => {
        const item = result.items.find((one) => one.name === name.name);
        return { name: item?.attribute ?? name.name, value: this.translate(value, name.name).py };
      });
      this.emit({ kind: 'return', value: { kind: 'call', callee: atom(result.name), args }, comment: behind });
      return;
    }
    this.returns(this.#typed(expr), behind);
  }

  /** A value that is returned; states the types of variables in it, if type checkers see its type then. */
  #typed(expr: Expr): Value {
    const value = this.translate(expr, 'out');
    const names = new Set(nodesBelow(expr).flatMap((node) => (node.kind === 'name' ? [node.name] : [])));
    const unseen = this.#locals.flatMap((map) =>
      [...map].flatMap(([name, one]) =>
        one.any && one.variable?.isLet && 'tensor float'.includes(one.kind.kind) && names.has(name)
          ? [{ map, name, one }]
          : [],
      ),
    );
    if (!value.any || value.py.kind === 'atom' || unseen.length === 0) return value;
    for (const { map, name, one } of unseen) map.set(name, { ...one, any: false });
    const { value: again, statements } = this.apart(() => this.translate(expr, 'out'));
    const isSeen = !again.any && statements.length === 0;
    for (const { map, name, one } of unseen) {
      if (isSeen && one.variable) one.variable.annotated = true;
      else map.set(name, one);
    }
    return isSeen ? again : value;
  }

  /** Emits a statement that returns a value of the kind `result`, by default the kind of the function's result. */
  returns(value: Value, comment: string | undefined, result: Kind = this.#options.result): void {
    if (!value.any) {
      this.emit({ kind: 'return', value: this.#asResult(value, result), comment });
      return;
    }
    const local = value.py.kind === 'atom' ? this.#variableNamed(value.py.text) : undefined;
    if (local?.isLet) {
      local.annotated = true;
      local.kind = either(local.kind, result);
      this.emit({ kind: 'return', value: value.py, comment });
      return;
    }
    const isTaken = this.#locals.some((map) => map.has('out')) || textOf(value) === 'out';
    const name = this.declare(isTaken ? 'result' : 'out', result, false);
    // A type is stated once, even if the statements are those of different branches.
    const isFirst = !this.#results.has(name);
    this.#results.add(name);
    const annotation = () => (isFirst ? resultType(result) : undefined);
    this.emit({ kind: 'assign', target: name, annotation, value: value.py, comment });
    this.emit({ kind: 'return', value: atom(name), comment: undefined });
  }

  /** A value as what the function's result is: named tuples of other functions have a type of their own. */
  #asResult({ py, kind }: Value, result: Kind): Py {
    const [own, wanted] = [given(kind), given(result)];
    if (own.kind === 'tuple' && wanted.kind === 'tuple' && own.name !== wanted.name && kind === own)
      return call(wanted.name, [{ kind: 'starred', operand: py }]);
    const isParam = py.kind === 'atom' && this.#variableNamed(py.text)?.isParam === true;
    const isList = wanted.kind === 'list' && given(wanted.of).kind !== 'part' && kind.kind === 'list';
    return isParam && isList && !this.#changed.has(textOf({ py })) ? call('list', [py]) : py;
  }

  #variableNamed(python: string): Variable | undefined {
    for (const map of this.#locals)
      for (const { variable } of map.values()) if (variable?.python === python) return variable;
    return undefined;
  }
}

export type { Signature };

/** The message of `refuse(message)`. */
function messageOf(expr: Expr): Expr | undefined {
  const isRefusal = expr.kind === 'call' && expr.callee.kind === 'name' && expr.callee.name === 'refuse';
  return isRefusal ? expr.args[0]?.value : undefined;
}

function textOf({ py }: { readonly py: Py }): string {
  return py.kind === 'atom' ? py.text : '';
}

function oneLineTarget(py: Py): string {
  if (py.kind === 'subscript') return `${oneLineTarget(py.of)}[${py.items.map(oneLineTarget).join(', ')}]`;
  if (py.kind === 'attribute') return `${oneLineTarget(py.of)}.${py.name}`;
  if (py.kind === 'binary') return `${oneLineTarget(py.left)} ${py.op} ${oneLineTarget(py.right)}`;
  return textOf({ py });
}

/** The names of lists that a body changes, or may change. */
function* changedLists(statements: readonly Statement[]): Iterable<string> {
  for (const statement of statements) {
    if (statement.kind === 'assign') {
      const { target, op } = statement;
      if (target.kind === 'index' && target.object.kind === 'name') yield target.object.name;
      if (target.kind === 'name' && op === '+=') yield target.name;
    }
    if (statement.kind === 'if-statement') {
      yield* changedLists(statement.then);
      yield* changedLists(statement.otherwise ?? []);
    }
    if (statement.kind === 'for') yield* changedLists(statement.body);
  }
}
