/** Default maximum length of quoted text in a message, in characters. */
const usual = 60;
/** Maximum depth of a value that is printed: JSON may be nested more deeply than the stack allows. */
const levels = 6;

/** Truncates a text from a file. */
export function cut(text: string, most = usual): string {
  return text.length > most ? `${text.slice(0, most)}…` : text;
}

/** Quotes a text from a file as JSON does, and truncates it. */
export function quoted(text: string, most = usual): string {
  return cut(JSON.stringify(cut(text, most)), most + 2);
}

/** Formats a value from a JSON file for a message, truncated in length and depth; `missing` if it is undefined. */
export function shownValue(value: unknown, most = usual): string {
  return value === undefined ? 'missing' : cut(part(value, most, levels), most);
}

/** Returns the text of a value; the parts of it that would be truncated may be missing. */
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
