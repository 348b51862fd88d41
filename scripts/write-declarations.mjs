// Part of the build: writes the package's types, `dist/types/`: a declaration file for each file that the entry points in `api/`
// are declared with, and no others. Declarations are made file by file, as every export there has its type written beside it;
// what is marked @internal is left out. Types are checked by `npm run types`, and the result by test/package.
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
