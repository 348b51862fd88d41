import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { diagnostic } from '../../compiler/diagnostics/diagnostic.ts';
import { renderTerminal } from '../../compiler/diagnostics/render-terminal.ts';
import { visible, visibleLines } from '../../compiler/diagnostics/visible.ts';
import { escaped } from '../../runtime/evaluation/page.ts';
import { reportCsv } from '../../runtime/evaluation/report.ts';
import { systemFailure } from '../../runtime/files/system-failure.ts';
import { writeLine } from '../../runtime/process/status-line.ts';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import { crobc, crobcProcess } from './crobc.ts';

const inFolder = temporaryFolder();
/** A line end, a colour, a window title, an eight-bit control, and a turn of direction. */
const odd = 'a\nb\u001b[31m\u001b]0;x\u0007\u009b1m\u202ec';
const shown = 'a\\nb\\u001b[31m\\u001b]0;x\\u0007\\u009b1m\\u202ec';
/** What no output may have. */
const control = /[\p{Cc}\u202a-\u202e]/u;

describe('text from outside is shown and not obeyed', () => {
  it('on a line, and in lines', () => {
    expect(visible(odd)).toBe(shown);
    expect(visibleLines(`${odd}\n`)).toBe(`${shown.replace('\\n', '\n')}\n`);
    expect(visible('Tür, 船, e\u0301, 👩‍🚀')).toBe('Tür, 船, e\u0301, 👩‍🚀');
  });

  it('in JSON, which stays the same document', () => {
    expect(JSON.parse(visibleLines(JSON.stringify({ odd }, null, 2)))).toEqual({ odd });
  });

  it('in diagnostics: names of files and source lines', () => {
    const span = { file: `${odd}.crob`, start: 2, end: 4 };
    const text = renderTerminal([diagnostic('CROB1047', span, {})], () => '//\u001b[31m \u0007\u202e', {
      color: false,
      width: 80,
    });
    expect(text.replaceAll('\n', '')).not.toMatch(control);
    expect(text).toContain(`${shown}.crob:1:3`);
  });

  it('in notes above a bar', () => {
    let written = '';
    const stream = new Writable({
      write(chunk, _, done) {
        written += chunk;
        done();
      },
    });
    writeLine(odd, stream);
    expect(written).toBe(`${shown}\n`);
  });

  it('in HTML', () => {
    expect(escaped(`<b>"'&\u001b`)).toBe('&lt;b&gt;&quot;&#39;&amp;\u25a1');
  });

  it('in CSV, where it is no formula', () => {
    const sample = {
      file: 'p.txt',
      line: 1,
      image: '@x.png',
      phrase: '=HYPERLINK("a")',
      category: '-1',
      attributes: { a: '+1' },
      iou: 0.5,
      intersection: 1,
      union: 2,
      predicted: 1,
      target: true,
    };
    const [, row] = reportCsv({ each: [sample] }).split('\r\n');
    expect(row).toBe(`p.txt,1,'@x.png,"'=HYPERLINK(""a"")",'-1,'+1,1,2,0.5`);
  });
});

describe.skipIf(process.platform === 'win32')('commands print odd names on one line', () => {
  it.each([
    ['check', [`${odd}.crob`]],
    ['summary', [`${odd}.crob`]],
    ['fmt', [`${odd}.crob`]],
    ['data', ['check', odd]],
    ['eval', ['--compare', odd]],
  ])('%s', async (command, args) => {
    const { code, out, err } = await crobc([command, ...args], { cwd: inFolder('.') });
    expect(code === 1 || code === 2).toBe(true);
    expect(out).toBe('');
    expect(err.replaceAll('\n', '')).not.toMatch(control);
    expect(err).toContain(shown);
  });

  it('fmt, and JSON of check, with a file of that name', async () => {
    mkdirSync(inFolder('there'));
    writeFileSync(inFolder(`there/${odd.replace('/', '')}.crob`), 'model  A {}\n');
    const formatted = await crobc(['fmt', '--check'], { cwd: inFolder('there') });
    expect(formatted.out).toBe(`${shown}.crob is not formatted\n`);
    const { out } = await crobc(['check', '--reporter', 'json'], { cwd: inFolder('there') });
    expect(out.replaceAll('\n', '')).not.toMatch(control);
    expect(Array.isArray(JSON.parse(out))).toBe(true);
  });
});

describe('what the system refuses is one line', () => {
  it.skipIf(process.platform !== 'linux')('where the output cannot be written', async () => {
    const { code, err } = await crobcProcess(['explain'], { shell: 'exec >/dev/full;' });
    expect({ code, err }).toEqual({ code: 1, err: 'crobc: cannot write the output: the disk is full\n' });
  });

  it('whatever call it came from', () => {
    const failed = (code: string, syscall: string, path?: string) =>
      Object.assign(new Error(code), { code, syscall, path });
    expect(systemFailure(failed('EIO', 'read'))).toBe(
      'cannot read a file: the disk or its connection fails (input/output error)',
    );
    expect(systemFailure(failed('ESTALE', 'open', 'a.crob'))).toBe(
      'cannot read a.crob: the network disk no longer has it open (stale file handle)',
    );
    expect(systemFailure(failed('EMFILE', 'open', 'x.mjs'))).toBe('cannot read x.mjs: too many open files');
    expect(systemFailure(failed('EACCES', 'rename', 'b'))).toBe('cannot write b: permission denied');
    expect(systemFailure(new RangeError('Invalid typed array length: 99999999999'))).toMatch(/^out of memory: /);
    expect(systemFailure(new TypeError('x is undefined'))).toBeUndefined();
    expect(systemFailure(new RangeError('Maximum call stack size exceeded'))).toBeUndefined();
  });
});

it('commands print by way of print.ts alone, which makes everything visible', () => {
  const files = readdirSync('cli', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const direct = files.filter((name) =>
    /\bstd(out|err)\.write|console\./.test(readFileSync(join('cli', name), 'utf8')),
  );
  expect(direct).toEqual(['print.ts']);
});
