// Part of the build: writes the package's types to `dist/types/`, a declaration file for each file that the entry
// points in `api/` refer to. Declarations are generated per file, since all exports have explicit types; parts marked
// @internal are omitted. `npm run types` checks the types, and test/package checks the result.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = fileURLToPath(new URL('..', import.meta.url));
const types = join(root, 'dist/types');
rmSync(types, { recursive: true, force: true });

const compilerOptions = {
  strict: true,
  target: 'ES2023',
  module: 'NodeNext',
  verbatimModuleSyntax: true,
  stripInternal: true,
};
const waiting = ['compiler', 'grammar', 'runtime'].map((name) => join(root, 'api', `${name}.ts`));
const seen = new Set(waiting);
for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
  const { outputText, diagnostics } = ts.transpileDeclaration(readFileSync(file, 'utf8'), {
    fileName: file,
    compilerOptions,
  });
  for (const { messageText } of diagnostics ?? [])
    throw new Error(`${relative(root, file)}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`);
  const text = outputText.replace(/(from ')(\.[^']*)\.ts(')/g, (_all, before, path, after) => {
    const next = join(dirname(file), `${path}.ts`);
    if (!seen.has(next)) waiting.push(next);
    seen.add(next);
    return `${before}${path}.js${after}`;
  });
  const target = join(types, relative(root, file).replace(/\.ts$/, '.d.ts'));
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, text);
}
