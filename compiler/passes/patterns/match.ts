import type { Value } from '../../ir/graph.ts';
import { numberOf } from '../match.ts';
import { factorsOf } from './factors.ts';
import type { Captures, Condition, Form, Operands, Surroundings } from './pattern.ts';

/** Why a match fails: the form that did not match, and the value in its place. */
export type Failure =
  | { readonly kind: 'form'; readonly form: Form; readonly value: Value; readonly place: Place }
  | { readonly kind: 'read-elsewhere'; readonly value: Value; readonly place: Place }
  | { readonly kind: 'condition'; readonly condition: Condition; readonly value: Value };

/** The operand position of a part of a pattern; undefined at the root. */
export type Place = { readonly form: Form; readonly value: Value; readonly operand: number } | undefined;

/** Called for every failure, with the number of operators, numbers and conditions that had matched before it. */
export type OnFailure = (failure: Failure, matched: number) => void;

/** Returns the captures of a pattern that matches the value; undefined if it does not match. */
export function match(form: Form, value: Value, around: Surroundings, onFailure?: OnFailure): Captures | undefined {
  if (onFailure === undefined && !mayMatch(form, value)) return undefined;
  return new Matcher(around, onFailure).match(form, value);
}

/**
 * Whether the operators and numbers of a pattern match, regardless of its names and conditions. This keeps no state, so
 * it is cheap, and it already rejects most nodes.
 */
function mayMatch(form: Form, value: Value): boolean {
  switch (form.kind) {
    case 'anything':
    case 'product':
      return true;
    case 'named':
    case 'once':
    case 'where':
      return mayMatch(form.form, value);
    case 'number': {
      const number = numberOf(value);
      return number !== undefined && form.test.accepts(number);
    }
    case 'one-of':
      for (const each of form.forms) if (mayMatch(each, value)) return true;
      return false;
    case 'node':
      return value.index === 0 && form.ops.has(value.node.op) && operandsMayMatch(form.operands, value.node.inputs);
  }
}

function operandsMayMatch(operands: Operands, inputs: readonly Value[]): boolean {
  switch (operands.kind) {
    case 'any':
      return true;
    case 'in-order':
      for (let i = 0; i < operands.forms.length; i++) if (!operandMayMatch(operands.forms[i], inputs[i])) return false;
      return true;
    case 'either-order': {
      const { first, second } = operands;
      const [a, b] = inputs;
      return (
        (operandMayMatch(first, a) && operandMayMatch(second, b)) ||
        (operandMayMatch(first, b) && operandMayMatch(second, a))
      );
    }
    case 'each':
      for (const input of inputs) if (!mayMatch(operands.form, input)) return false;
      return true;
    case 'some':
      for (const input of inputs) if (mayMatch(operands.form, input)) return true;
      return false;
  }
}

function operandMayMatch(form: Form | undefined, value: Value | undefined): boolean {
  return form !== undefined && value !== undefined && mayMatch(form, value);
}

/** The remaining goals, in order. */
type Goal = MatchGoal | OnceGoal | ConditionGoal | ListGoal;

interface MatchGoal {
  readonly kind: 'match';
  readonly form: Form;
  readonly value: Value;
  readonly place: Place;
  readonly next: Goal | undefined;
}

/** Requires that nothing else reads a value that has matched. */
interface OnceGoal {
  readonly kind: 'once';
  readonly value: Value;
  readonly place: Place;
  readonly next: Goal | undefined;
}

/** Requires the condition of a part that has matched. */
interface ConditionGoal {
  readonly kind: 'condition';
  readonly condition: Condition;
  readonly form: Form;
  readonly value: Value;
  readonly next: Goal | undefined;
}

/** Binds a name to the operands of a node, all of which have matched. */
interface ListGoal {
  readonly kind: 'list';
  readonly name: string;
  readonly found: unknown;
  readonly next: Goal | undefined;
}

/** The binding of a name, linked to the earlier bindings. */
interface Binding {
  readonly name: string;
  readonly found: unknown;
  /** The value that must occur wherever the name occurs again. */
  readonly value: Value | undefined;
  readonly before: Binding | undefined;
}

type Bindings = Binding | undefined;

/** A backtracking matcher: at each choice, it tries the alternatives in order, each to the end of the pattern. */
class Matcher {
  private readonly around: Surroundings;
  private readonly onFailure: OnFailure | undefined;
  private captures: Captures | undefined;

  constructor(around: Surroundings, onFailure: OnFailure | undefined) {
    this.around = around;
    this.onFailure = onFailure;
  }

  match(form: Form, value: Value): Captures | undefined {
    this.reach({ kind: 'match', form, value, place: undefined, next: undefined }, undefined, 0);
    return this.captures;
  }

  private reach(goal: Goal | undefined, bindings: Bindings, matched: number): boolean {
    switch (goal?.kind) {
      case undefined:
        this.captures = asRecord(bindings);
        return true;
      case 'match':
        return this.reachMatch(goal, bindings, matched);
      case 'once': {
        const { value, place, next } = goal;
        if (this.around.uses(value) === 1) return this.reach(next, bindings, matched + 1);
        this.onFailure?.({ kind: 'read-elsewhere', value, place }, matched);
        return false;
      }
      case 'condition':
        return this.reachCondition(goal, bindings, matched);
      case 'list':
        return this.reach(goal.next, bound(goal.name, goal.found, undefined, bindings), matched);
    }
  }

  private reachMatch(goal: MatchGoal, bindings: Bindings, matched: number): boolean {
    const { form, value, place, next } = goal;
    switch (form.kind) {
      case 'anything':
        return this.reach(next, bindings, matched);
      case 'named': {
        const known = bindingOf(form.name, bindings);
        if (known !== undefined)
          return known.value === value ? this.reach(next, bindings, matched + 1) : this.fail(goal, matched);
        const named = bound(form.name, subjectOf(form.form, value), value, bindings);
        return this.reachMatch({ kind: 'match', form: form.form, value, place, next }, named, matched);
      }
      case 'number': {
        const number = numberOf(value);
        const accepted = number !== undefined && form.test.accepts(number);
        return accepted ? this.reach(next, bindings, matched + 1) : this.fail(goal, matched);
      }
      case 'once': {
        const last: Goal = { kind: 'once', value, place, next };
        return this.reachMatch({ kind: 'match', form: form.form, value, place, next: last }, bindings, matched);
      }
      case 'where': {
        const { condition } = form;
        const last: Goal = { kind: 'condition', condition, form: form.form, value, next };
        return this.reachMatch({ kind: 'match', form: form.form, value, place, next: last }, bindings, matched);
      }
      case 'one-of':
        return form.forms.some((each) =>
          this.reachMatch({ kind: 'match', form: each, value, place, next }, bindings, matched),
        );
      case 'product': {
        const { number, values } = factorsOf(value);
        if (!form.number.accepts(number) || values.length !== form.factors.length) return this.fail(goal, matched);
        return orders(values).some((factors) =>
          this.reach(operandGoals({ form, value }, form.factors, factors, next), bindings, matched + 1),
        );
      }
      case 'node':
        if (value.index !== 0 || !form.ops.has(value.node.op)) return this.fail(goal, matched);
        return this.reachOperands(goal, form, bindings, matched + 1);
    }
  }

  private reachOperands(
    goal: MatchGoal,
    form: Form & { readonly kind: 'node' },
    bindings: Bindings,
    matched: number,
  ): boolean {
    const { value, next } = goal;
    const { inputs } = value.node;
    const { operands } = form;
    const parent = { form, value };
    switch (operands.kind) {
      case 'any':
        return this.reach(next, bindings, matched);
      case 'in-order':
        return this.reach(operandGoals(parent, operands.forms, inputs, next), bindings, matched);
      case 'either-order': {
        const { first, second } = operands;
        return (
          this.reach(operandGoals(parent, [first, second], inputs, next), bindings, matched) ||
          this.reach(operandGoals(parent, [second, first], inputs, next), bindings, matched)
        );
      }
      case 'each': {
        const found = inputs.map((input) => subjectOf(operands.form, input));
        const named: Goal = { kind: 'list', name: operands.name, found, next };
        const forms = inputs.map(() => operands.form);
        return this.reach(operandGoals(parent, forms, inputs, named), bindings, matched);
      }
      case 'some':
        return inputs.some((input, operand) => {
          const place = { form, value, operand };
          return this.reachMatch({ kind: 'match', form: operands.form, value: input, place, next }, bindings, matched);
        });
    }
  }

  private reachCondition(goal: ConditionGoal, bindings: Bindings, matched: number): boolean {
    const { condition, form, value, next } = goal;
    const found = condition.derive(asRecord(bindings), subjectOf(form, value), this.around);
    if (found === undefined) {
      const about = condition.about === undefined ? undefined : bindingOf(condition.about, bindings)?.value;
      this.onFailure?.({ kind: 'condition', condition, value: about ?? value }, matched);
      return false;
    }
    const { gives } = condition;
    return this.reach(next, gives === undefined ? bindings : bound(gives, found, undefined, bindings), matched + 1);
  }

  private fail({ form, value, place }: MatchGoal, matched: number): false {
    this.onFailure?.({ kind: 'form', form, value, place }, matched);
    return false;
  }
}

/** Returns the goals for the operands of a form, the first operand first. */
function operandGoals(
  parent: { readonly form: Form; readonly value: Value },
  forms: readonly Form[],
  values: readonly Value[],
  next: Goal | undefined,
): Goal | undefined {
  let goal = next;
  for (let operand = forms.length - 1; operand >= 0; operand--) {
    const [wanted, value] = [forms[operand], values[operand]];
    if (wanted === undefined || value === undefined)
      throw new Error(`bug in crobc: a pattern of ${forms.length} operands beside ${values.length}`);
    goal = { kind: 'match', form: wanted, value, place: { ...parent, operand }, next: goal };
  }
  return goal;
}

/** Returns what a name for this form captures: a node, a number or the value. */
function subjectOf(form: Form, value: Value): unknown {
  switch (form.kind) {
    case 'node':
    case 'product':
      return value.node;
    case 'number':
      return { value, number: numberOf(value) };
    case 'anything':
    case 'one-of':
      return value;
    case 'named':
    case 'once':
    case 'where':
      return subjectOf(form.form, value);
  }
}

function bound(name: string, found: unknown, value: Value | undefined, before: Bindings): Binding {
  return { name, found, value, before };
}

function bindingOf(name: string, bindings: Bindings): Binding | undefined {
  for (let each = bindings; each !== undefined; each = each.before) if (each.name === name) return each;
  return undefined;
}

function asRecord(bindings: Bindings): Captures {
  const record: Record<string, unknown> = {};
  for (let each = bindings; each !== undefined; each = each.before) record[each.name] = each.found;
  return record;
}

/** Returns all permutations of a few items. */
function orders<T>(items: readonly T[]): readonly (readonly T[])[] {
  if (items.length < 2) return [items];
  return items.flatMap((first, i) => orders(items.filter((_, j) => j !== i)).map((rest) => [first, ...rest]));
}
