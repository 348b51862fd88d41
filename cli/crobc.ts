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
void main();
