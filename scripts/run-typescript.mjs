// Runs a TypeScript file of `test/` in its current state: node scripts/run-typescript.mjs FILE [arguments].
import { pathToFileURL } from 'node:url';
import { bundleSource } from './bundle-source.mjs';

const [entry, ...rest] = process.argv.slice(2);
const file = await bundleSource(entry);
process.argv.splice(1, Infinity, file, ...rest);
await import(pathToFileURL(file).href);
