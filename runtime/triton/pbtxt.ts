/** A message of protobuf as data: fields by name; a list is a repeated field, and a `Named` a value of an enumeration. */
export interface Message {
  readonly [field: string]: Field | readonly Field[];
}

export type Field = string | number | boolean | Named | Message;

/** A value of an enumeration, which is written without quotes. */
export class Named {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** An entry of a map of texts. */
export function entry(key: string, value: Field): Message {
  return { key, value };
}

/** Writes a message in protobuf's text format (https://protobuf.dev/reference/protobuf/textformat-spec/). */
export function textFormat(message: Message): string {
  return linesOf(message, '').join('');
}

function linesOf(message: Message, indent: string): string[] {
  return Object.entries(message).flatMap(([name, value]) => {
    if (!Array.isArray(value)) return fieldLines(name, value as Field, indent);
    const items = value as readonly Field[];
    if (items.every((item) => typeof item === 'number')) return [`${indent}${name}: [${items.join(', ')}]\n`];
    return items.flatMap((item) => fieldLines(name, item, indent));
  });
}

function fieldLines(name: string, value: Field, indent: string): string[] {
  if (value instanceof Named) return [`${indent}${name}: ${value.name}\n`];
  if (typeof value === 'string') return [`${indent}${name}: ${JSON.stringify(value)}\n`];
  if (typeof value !== 'object') return [`${indent}${name}: ${value}\n`];
  const inside = linesOf(value, `${indent}  `);
  return inside.length === 0 ? [`${indent}${name} {}\n`] : [`${indent}${name} {\n`, ...inside, `${indent}}\n`];
}
