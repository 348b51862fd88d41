/** Characters of a text from outside in a message, unless more are asked for. */
const usual = 60;
/** Levels of a value that are looked into: JSON may be nested deeper than any stack. */
const levels = 6;

/** A text from outside, cut where it is long. */
export function cut(text: string, most = usual): string {
  return text.length > most ? `${text.slice(0, most)}…` : text;
}

/** A text from outside in quotes, as JSON writes it, cut where it is long. */
export function quoted(text: string, most = usual): string {
  return cut(JSON.stringify(cut(text, most)), most + 2);
}

/** A value from a JSON file for a message: as JSON writes it, cut where it is long or deep; `missing` where there is none. */
export function shownValue(value: unknown, most = usual): string {
  return value === undefined ? 'missing' : cut(part(value, most, levels), most);
}

/** At least as much of a value as will be shown. */
function part(value: unknown, most: number, depth: number): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, most + 1));
  if (typeof value !== 'object' || value === null) return String(value);
  if (depth === 0) return '…';
  if (Array.isArray(value))
    return `[${value
      .slice(0, most)
      .map((item) => part(item, most, depth - 1))
      .join(',')}]`;
  const members = Object.entries(value)
    .slice(0, most)
    .map(([name, member]) => `${quoted(name, most)}:${part(member, most, depth - 1)}`);
  return `{${members.join(',')}}`;
}
