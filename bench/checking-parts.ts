// What bench/checking.mjs needs of the compiler.
export { nothingChecked, recheck } from '../compiler/check/recheck.ts';
export { diskHost } from '../runtime/files/source-host.ts';
