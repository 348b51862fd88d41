#!/usr/bin/env node
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BundleLoader } from './bundle-loader.ts';
import { optimiseLater } from './optimise-later.ts';

// Before anything is compiled: what is compiled under other settings is of no use to this process.
optimiseLater();
const bundle = new BundleLoader(dirname(fileURLToPath(import.meta.url)));
const { main } = bundle.load('main.cjs') as typeof import('./main.ts');
process.on('exit', () => bundle.keepCompiled());
void main();
