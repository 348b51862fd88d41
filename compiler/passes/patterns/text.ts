import type { NodeOp } from '../../ir/graph.ts';
import type { Form, Operands } from './pattern.ts';

/** Returns a pattern as readable text: `mul(x, sigmoid(x))`, followed by its conditions. */
export function patternText(form: Form): string {
  const conditions: string[] = [];
  const text = write(form, { repeated: repeatedNames(form), written: new Set(), conditions });
  return conditions.length === 0 ? text : `${text}, where ${[...new Set(conditions)].join(', and ')}`;
}

/** Returns what a part of a pattern matches, without its conditions. */
export function partText(form: Form): string {
  return write(form, { repeated: repeatedNames(form), written: new Set(), conditions: [] });
}

interface Writing {
  /** Names that must be shown because they occur again. */
  readonly repeated: ReadonlySet<string>;
  readonly written: Set<string>;
  readonly conditions: string[];
}

function repeatedNames(form: Form): ReadonlySet<string> {
  const once = new Set<string>();
  const again = new Set<string>();
  const visit = (part: Form): void => {
    if (part.kind === 'named') (once.has(part.name) ? again : once).add(part.name);
    partsOf(part).forEach(visit);
  };
  visit(form);
  return again;
}

function partsOf(form: Form): readonly Form[] {
  switch (form.kind) {
    case 'anything':
    case 'number':
      return [];
    case 'named':
    case 'once':
    case 'where':
      return [form.form];
    case 'one-of':
      return form.forms;
    case 'product':
      return form.factors;
    case 'node':
      return operandForms(form.operands);
  }
}

function operandForms(operands: Operands): readonly Form[] {
  switch (operands.kind) {
    case 'any':
      return [];
    case 'in-order':
      return operands.forms;
    case 'either-order':
      return [operands.first, operands.second];
    case 'each':
    case 'some':
      return [operands.form];
  }
}

function write(form: Form, writing: Writing): string {
  const part = (each: Form): string => write(each, writing);
  switch (form.kind) {
    case 'anything':
      return '_';
    case 'named': {
      const { name, form: inner } = form;
      if (inner.kind === 'anything' || writing.written.has(name)) return name;
      writing.written.add(name);
      return writing.repeated.has(name) ? `${name}: ${part(inner)}` : part(inner);
    }
    case 'number':
      return form.test.text;
    case 'once':
      return `once(${part(form.form)})`;
    case 'one-of':
      return form.forms.map((each) => write(each, { ...writing, written: new Set(writing.written) })).join(' or ');
    case 'where': {
      const text = part(form.form);
      writing.conditions.push(form.condition.text);
      return text;
    }
    case 'product':
      return [form.number.text, ...form.factors.map(part)].filter((text) => text !== '1').join(' · ');
    case 'node':
      return `${opsText(form.ops)}(${operands(form, part)})`;
  }
}

/** If there are more operators than this, they are counted instead of named. */
const mostNamed = 6;

function opsText(ops: ReadonlySet<NodeOp>): string {
  return ops.size > mostNamed ? `<one of ${ops.size} operators>` : [...ops].join('|');
}

function operands({ operands }: Form & { readonly kind: 'node' }, part: (form: Form) => string): string {
  switch (operands.kind) {
    case 'any':
      return '…';
    case 'in-order':
      return operands.forms.map(part).join(', ');
    case 'either-order':
      return `${part(operands.first)}, ${part(operands.second)}`;
    case 'each':
      return `each ${part(operands.form)}`;
    case 'some':
      return `some ${part(operands.form)}`;
  }
}
