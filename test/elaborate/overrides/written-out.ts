import { type Built, type Part, type Place, pathText, type Step } from './places.ts';
import { hasLiteral, literal } from './value.ts';

/**
 * A model without any override: the text of the one that the base goes back to, with each part as a call of its module that has
 * every parameter as a literal, and with the model's own parameters as they came out.
 */
export function writtenOut(name: string, model: string, built: Built): string {
  const [head = '', ...lines] = model.split('\n');
  const written = lines.map((line) => {
    const [, param, type, tail] = /^ {2}(\w+): (\w+) = .*?(,?)$/.exec(line) ?? [];
    if (param !== undefined) return `  ${param}: ${type} = ${memberText(built, param)}${tail}`;
    const [, field] = /^ {2}(\w+) = /.exec(line) ?? [];
    return field === undefined ? line : `  ${field} = ${memberText(built, field)}`;
  });
  return [head.replace(/model \w+/, `model ${name}`), ...written].join('\n');
}

function memberText(built: Built, name: string): string {
  const value = built.params.get(name);
  if (value) return literal(value);
  const place = built.parts.get(name);
  if (!place) throw new Error(`no ${name} in the model`);
  return placeText(place, [name]);
}

function placeText(place: Place, steps: readonly Step[]): string {
  switch (place.kind) {
    case 'none':
      return 'none';
    case 'list':
      return `[${place.items.map((item, i) => placeText(item, [...steps, i])).join(', ')}]`;
    case 'part':
      // A part that belongs elsewhere was handed on by its name.
      return place.owned === pathText(steps) ? callText(place, steps) : place.owned;
  }
}

function callText({ module, params, parts, shared }: Part, steps: readonly Step[]): string {
  const given = [...params].flatMap(([name, value]) => {
    const part = parts.get(name);
    if (part) return [`${name} = ${placeText(part, [...steps, name])}`];
    const elsewhere = shared.get(name);
    if (elsewhere !== undefined) return [`${name} = ${elsewhere}`];
    return hasLiteral(value) ? [`${name} = ${literal(value)}`] : [];
  });
  return `${module}(${given.join(', ')})`;
}
