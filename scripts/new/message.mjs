// Adds a message to the catalogue: a row with an example, which the tests run.
// The error index is generated from the row.
import { Refusal } from './checkout.mjs';

const groups = {
  syntax: 'syntaxMessages',
  names: 'nameMessages',
  shapes: 'shapeMessages',
  statics: 'staticMessages',
  variants: 'variantMessages',
};

export function message(checkout, group) {
  const table = groups[group];
  if (table === undefined) throw new Refusal(`no group ${group}; there are ${Object.keys(groups).join(', ')}`);
  const file = `compiler/diagnostics/messages/${group}.ts`;
  const last = Math.max(...checkout.names(file, table).map((code) => Number(code.replace('CROB', ''))));
  const code = `CROB${last + 1}`;
  checkout.insert(
    file,
    table,
    `${code}: {
    severity: 'error',
    title: FILL_IN,
    template: FILL_IN,
    explanation: FILL_IN,
    example: FILL_IN,
  },`,
  );
  return {
    notes: [
      `${code}: fill in what \`npm run types\` lists. The template names its arguments in braces; the example is a file that gives this message`,
      `and no other, which the tests run. Report it with diagnostic('${code}', span, { … }). Then:`,
      '  npx vitest run test/diagnostics -u    # fails until something reports it; writes the error index',
      '  npx vitest run test/docs -u',
    ],
  };
}
