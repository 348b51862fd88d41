// Part of the build: bundles crobc into a few files in `dist/bin/`, which the command, its threads and the package's
// entry points load. Without the bundle a check takes twice as long, since Node.js has to find, open and compile two
// hundred modules of crobc and several hundred of chevrotain. Each command is a separate file that is loaded when it
// runs. Some packages are bundled as well.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'rolldown';
import { threads } from './threads.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');
const bin = join(dist, 'bin');
// Removes compiled code of earlier builds too.
rmSync(dist, { recursive: true, force: true });

/**
 * Bundled packages: those that a check needs, which saves finding and reading their files; those for the ONNX
 * format, because onnx-proto requires a protobufjs that is years old, and npm applies `overrides` only in the outermost
 * project; and those for pictures, of which only a part is needed.
 */
const bundled = [
  'chevrotain',
  'commander',
  'onnx-proto',
  'protobufjs',
  'long',
  'tinyglobby',
  'fdir',
  'picomatch',
  '@dagrejs/dagre',
  ...withDependencies('pdfkit'),
  'hono',
  '@hono/node-server',
];
const isBundled = (id) => bundled.some((name) => id === name || id.startsWith(`${name}/`));

/** Returns a package and all that it depends on. */
function withDependencies(name, found = new Set()) {
  if (found.has(name)) return found;
  found.add(name);
  for (const next of Object.keys(packageJson(name).dependencies ?? {})) withDependencies(next, found);
  return found;
}

function packageJson(name) {
  return JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8'));
}

/**
 * Removes child_process from commander, which needs it only for commands that are
 * separate programs: loading it takes 7 ms.
 */
const noProcesses = {
  name: 'no-processes',
  transform(code, id) {
    if (!id.endsWith('/commander/lib/command.js')) return undefined;
    const whole = "require('node:child_process')";
    if (code.split(whole).length !== 2) throw new Error(`${id} is not as expected: see scripts/bundle.mjs`);
    return code.replace(whole, '{}');
  },
};
/**
 * Replaces chevrotain's table of 65,536 quotients by a division: filling it takes
 * a tenth of the time to create the lexer.
 */
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
/** Replaces a decompressor in JavaScript, which has a dictionary of 800 kB, by that of Node.js. */
const nativeBrotli = {
  name: 'native-brotli',
  resolveId: (id) => (id === 'brotli/decompress.js' ? '\0native-brotli' : undefined),
  load: (id) => (id === '\0native-brotli' ? "export { brotliDecompressSync as default } from 'node:zlib';" : undefined),
};
/** Node.js programs that load the other files; they are not wrapped in functions. */
const programs = {
  crobc: 'cli/crobc.ts',
  thread: 'cli/thread.ts',
  'bundle-loader': 'cli/bundle-loader.ts',
};
/** Entry points of the package. */
const entries = ['compiler', 'grammar', 'runtime'];
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
  // Ids that are not paths are packages or built-in modules of Node.js.
  external: (id) => /^[^./\0]/.test(id) && !isBundled(id),
  plugins: [noProcesses, noTable, nativeBrotli],
  output: {
    dir: bin,
    format: 'cjs',
    entryFileNames: '[name].cjs',
    // A package's file may have a name with further dots.
    chunkFileNames: ({ name }) => `${name.replaceAll('.', '-')}.cjs`,
    // Reduces the size: V8 keeps the source, one byte per character, while the
    // program runs. Lines and names are preserved.
    comments: false,
    minify: { compress: false, mangle: false, codegen: { removeWhitespace: false, asciiOnly: true } },
    topLevelVar: true,
  },
  logLevel: 'warn',
});
// Wraps each module in a function, as Node.js does, so that the loader need not copy the text to wrap it. `import` is a
// parameter, because code from V8's cache has no `import` of its own.
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
// The entry points are ES modules that re-export the exports of the bundle's files. They share one loader, so that
// objects created by one entry point are accepted by the others.
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
// The fonts of pictures.
const fonts = join(dist, 'fonts');
const arimo = join(root, 'node_modules/@expo-google-fonts/arimo');
mkdirSync(fonts);
for (const [style, name] of Object.entries({ '400Regular': 'Regular', '700Bold': 'Bold' }))
  copyFileSync(join(arimo, style, `Arimo_${style}.ttf`), join(fonts, `Arimo-${name}.ttf`));
copyFileSync(join(arimo, 'LICENSE_FONT'), join(fonts, 'OFL.txt'));

// The packages whose code is in the bundle. chevrotain's single file contains parts of lodash.
const modules = output.flatMap((chunk) => (chunk.type === 'chunk' ? Object.entries(chunk.modules) : []));
const folders = modules.flatMap(([id, { renderedLength }]) => {
  const [folder] = /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/.exec(id) ?? [];
  return folder === undefined || renderedLength === 0 ? [] : [folder];
});
const licences = [...new Set([...folders, join(root, 'node_modules/lodash-es')])].sort().map((folder) => {
  const { name, version, license, author } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((one) => /^licen[cs]e([.-]\w+)?$/i.test(one));
  const by = typeof author === 'object' ? author.name : author;
  const text = file === undefined ? `${license}, by ${by}` : readFileSync(join(folder, file), 'utf8').trim();
  return `These files hold code of ${name} ${version}, under this licence:\n\n${text}\n`;
});
writeFileSync(join(bin, 'LICENSES.txt'), licences.join(`\n${'-'.repeat(80)}\n\n`));
