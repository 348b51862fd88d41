// Part of the build: `dist/bin/`, few files that hold all of crobc, which the command, its threads and the package's entry points
// load. Without it a check takes twice the time, as Node.js finds, opens and compiles two hundred modules of ours and several
// hundred of chevrotain. Commands stay files of their own, loaded when they run. Some packages are in the bundle.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');
const bin = join(dist, 'bin');
// What earlier versions of these files were compiled to goes with them.
rmSync(dist, { recursive: true, force: true });

/**
 * Packages that a check needs, which it would otherwise have to find and read; and those of ONNX's format, as onnx-proto asks for a
 * protobufjs that is years older than the one of `overrides`, which npm takes from the outermost project alone.
 */
const bundled = ['chevrotain', 'commander', 'onnx-proto', 'protobufjs', 'long'];
const isBundled = (id) => bundled.some((name) => id === name || id.startsWith(`${name}/`));

/** commander starts processes for commands that are programs of their own, which crobc has none of: loading what does that takes 7 ms. */
const noProcesses = {
  name: 'no-processes',
  transform(code, id) {
    if (!id.endsWith('/commander/lib/command.js')) return undefined;
    const whole = "require('node:child_process')";
    if (code.split(whole).length !== 2) throw new Error(`${id} is not as expected: see scripts/bundle.mjs`);
    return code.replace(whole, '{}');
  },
};
/** chevrotain fills a table of 65,536 numbers that are one quotient each, which takes a tenth of the time until its lexer is there. */
const noTable = {
  name: 'no-table',
  transform(code, id) {
    if (!id.endsWith('/chevrotain.mjs')) return undefined;
    const filled = 'if (isEmpty_default(charCodeToOptimizedIdxMap)) {';
    const read = 'charCode < minOptimizationVal ? charCode : charCodeToOptimizedIdxMap[charCode]';
    if (code.split(filled).length !== 2 || code.split(read).length !== 2)
      throw new Error(`${id} is not as expected: see scripts/bundle.mjs`);
    return code
      .replace(filled, 'if (false) {')
      .replace(read, 'charCode < minOptimizationVal ? charCode : 255 + ~~(charCode / 255)');
  },
};
/** Programs of Node.js, which load the others: they stay as they are. */
const programs = {
  crobc: 'cli/crobc.ts',
  thread: 'cli/thread.ts',
  'bundle-loader': 'cli/bundle-loader.ts',
};
/** Entry points of the package, and threads. */
const entries = ['compiler', 'grammar', 'runtime'];
const threads = { 'decode-worker': 'runtime/data/decode-worker.ts', 'client-worker': 'runtime/build/client-worker.ts' };
const inputs = {
  ...programs,
  main: 'cli/main.ts',
  ...threads,
  ...Object.fromEntries(entries.map((name) => [name, `api/${name}.ts`])),
};
const { output } = await build({
  input: Object.fromEntries(Object.entries(inputs).map(([name, path]) => [name, join(root, path)])),
  platform: 'node',
  resolve: { alias: { chevrotain: join(root, 'node_modules/chevrotain/lib/chevrotain.mjs') } },
  // What is no path is a package, or comes with Node.js.
  external: (id) => /^[^./\0]/.test(id) && !isBundled(id),
  plugins: [noProcesses, noTable],
  output: {
    dir: bin,
    format: 'cjs',
    entryFileNames: '[name].cjs',
    chunkFileNames: '[name].cjs',
    // Less to read, in characters of one byte each: V8 keeps the text as long as the program runs. Lines and names stay.
    comments: false,
    minify: { compress: false, mangle: false, codegen: { removeWhitespace: false, asciiOnly: true } },
    topLevelVar: true,
  },
  logLevel: 'warn',
});
// A module is a function of what it needs, as Node.js makes one of it: so there is no second copy of the text to make. `import` is
// handed in too, as code that V8 compiled before has none of its own.
for (const name of readdirSync(bin)) {
  if (basename(name, '.cjs') in programs) continue;
  const code = readFileSync(join(bin, name), 'utf8');
  if (/[^\0-\x7f]/.test(code)) throw new Error(`${name} is not ASCII: see cli/bundle-loader.ts`);
  const inside = code.replace(/(?<![\w$#.])import\(/g, '__import(');
  writeFileSync(
    join(bin, name),
    `(function (exports, require, module, __filename, __dirname, __import) {${inside}\n})\n`,
  );
}
// The entry points are modules of Node.js, which hand on what the bundle's files export. All load them through one loader, so
// that what one entry point makes is known to the others.
const api = join(dist, 'api');
mkdirSync(api);
writeFileSync(
  join(api, 'bundle.js'),
  `import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
const { BundleLoader } = createRequire(import.meta.url)('../bin/bundle-loader.cjs');
export const bundle = new BundleLoader(fileURLToPath(new URL('../bin', import.meta.url)));
`,
);
for (const { name, exports } of output.filter((chunk) => chunk.isEntry && entries.includes(chunk.name))) {
  writeFileSync(
    join(api, `${name}.js`),
    `import { bundle } from './bundle.js';\nexport const { ${exports.join(', ')} } = bundle.load('${name}.cjs');\n`,
  );
}
// chevrotain's one file has parts of lodash in it.
const licences = [...bundled, 'lodash-es'].map((name) => {
  const folder = join(root, 'node_modules', name);
  const text = readFileSync(join(folder, name === 'chevrotain' ? 'LICENSE.txt' : 'LICENSE'), 'utf8');
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return `These files hold code of ${name} ${version}, under this licence:\n\n${text.trim()}\n`;
});
writeFileSync(join(bin, 'LICENSES.txt'), licences.join(`\n${'-'.repeat(80)}\n\n`));
