import { createRequire } from 'node:module';
import { join } from 'node:path';
import type Koffi from 'koffi';
import { installPeer, packageRoot } from '../files/package-root.ts';

/**
 * Bytes of stack for calls: the most that koffi gives. By default it gives a quarter of what a process has, and
 * onnxruntime reads the command line with a recursive matcher when it creates a session.
 */
export const STACK_SIZE = 16 * 2 ** 20;

/** Why koffi is not there: one line. */
export interface NoKoffi {
  readonly missing: string;
}

let loaded: typeof Koffi | NoKoffi | undefined;

/** Loads koffi, which calls native libraries and is an optional peer dependency, on first use. */
export function loadKoffi(): typeof Koffi | NoKoffi {
  loaded ??= load();
  return loaded;
}

function load(): typeof Koffi | NoKoffi {
  try {
    const koffi = createRequire(join(packageRoot(), 'package.json'))('koffi') as typeof Koffi;
    // It can be set only before the first library is loaded, which another thread or copy of this module may have done.
    if (koffi.config().sync_stack_size !== STACK_SIZE) koffi.config({ sync_stack_size: STACK_SIZE });
    return koffi;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'MODULE_NOT_FOUND')
      return { missing: `koffi is not installed: "${installPeer('koffi')}" installs it` };
    return { missing: `koffi does not load on this machine: ${message.split('\n')[0]}` };
  }
}
