// Loaded before crobc (node --require): the call of the file system that CROBC_FAIL counts to, `EIO 17`, fails with that error, if
// it is about a file below CROBC_FAIL_BELOW; `EACCES 2 rename` counts calls of that name alone, and
// with SIGKILL for the error the process ends there. With the number 0 none fails, and
// the calls are counted on standard error at the end.
const fs = require('node:fs');
const { syncBuiltinESMExports } = require('node:module');
const { isMainThread } = require('node:worker_threads');

const [code = 'EIO', at = '0', only] = (process.env.CROBC_FAIL ?? '').split(' ');
const below = process.env.CROBC_FAIL_BELOW ?? '';
let calls = 0;

function failing(syscall, path) {
  if (!isMainThread || typeof path !== 'string' || !require('node:path').resolve(path).startsWith(below)) return;
  if (only !== undefined && syscall !== only) return;
  calls++;
  if (calls !== Number(at)) return;
  if (code === 'SIGKILL') process.kill(process.pid, code);
  throw Object.assign(new Error(`${code}: injected, ${syscall} '${path}'`), { code, syscall, path, errno: -5 });
}

const paths = new Map();

function wrapSync(name, syscall) {
  const real = fs[name];
  fs[name] = (...args) => {
    failing(syscall, typeof args[0] === 'number' ? paths.get(args[0]) : args[0]);
    const result = real(...args);
    if (name === 'openSync') paths.set(result, args[0]);
    return result;
  };
}

function wrapAsync(owner, name, syscall, pathOf) {
  const real = owner[name];
  owner[name] = async (...args) => {
    failing(syscall, pathOf(args));
    const result = await real.apply(owner, args);
    if (name === 'open')
      for (const [method, call] of [
        ['read', 'read'],
        ['write', 'write'],
        ['stat', 'fstat'],
        ['sync', 'fsync'],
        ['appendFile', 'write'],
        ['readFile', 'read'],
        ['truncate', 'ftruncate'],
        ['close', 'close'],
      ])
        wrapAsync(result, method, call, () => args[0]);
    return result;
  };
}

for (const [name, syscall] of [
  ['openSync', 'open'],
  ['readSync', 'read'],
  ['fstatSync', 'fstat'],
  ['statSync', 'stat'],
  ['readdirSync', 'scandir'],
])
  wrapSync(name, syscall);
for (const [name, syscall] of [
  ['open', 'open'],
  ['stat', 'stat'],
  ['lstat', 'lstat'],
  ['readdir', 'scandir'],
  ['mkdir', 'mkdir'],
  ['rename', 'rename'],
  ['link', 'link'],
  ['unlink', 'unlink'],
  ['rm', 'rm'],
  ['writeFile', 'open'],
  ['copyFile', 'copyfile'],
])
  wrapAsync(fs.promises, name, syscall, (args) => args[0]);
syncBuiltinESMExports();
process.on('exit', () => {
  if (at === '0' && isMainThread) fs.writeSync(2, `calls ${calls}\n`);
});
