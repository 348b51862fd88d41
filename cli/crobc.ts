#!/usr/bin/env node
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BundleLoader } from './bundle-loader.ts';
import { setUpV8 } from './v8-settings.ts';

// Before anything is compiled: what is compiled under other settings is of no use to this process.
setUpV8();
const bundle = new BundleLoader(dirname(fileURLToPath(import.meta.url)));
const { main } = bundle.load('main.cjs') as typeof import('./main.ts');
process.on('exit', () => bundle.keepCompiled());
// Ended here, so that the heap is not taken apart object by object first, which takes a check a twentieth of its time.
void main().then(async () => {
  for (const stream of [process.stdout, process.stderr])
    await new Promise<void>((done) => stream.write('', () => done()));
  process.exit();
});
