#!/usr/bin/env node
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BundleLoader } from './bundle-loader.ts';
import { sizeThreadPool } from './libuv-threads.ts';
import { setUpV8 } from './v8-settings.ts';

// Set before anything is compiled: code compiled with other settings is of no use to this process.
setUpV8();
sizeThreadPool(process.env, availableParallelism());
const bundle = new BundleLoader(dirname(fileURLToPath(import.meta.url)));
const { main } = bundle.load('main.cjs') as typeof import('./main.ts');
process.on('exit', () => bundle.keepCompiled());
// Exits explicitly, which skips freeing the heap object by object; that would take 5 % of the time of a check.
void main().then(async () => {
  for (const stream of [process.stdout, process.stderr])
    await new Promise<void>((done) => stream.write('', () => done()));
  process.exit();
});
