import { describe, expect, test } from 'vitest';
import type { Diagnostic } from '../../compiler/diagnostics/diagnostic.ts';
import { fromSyntax } from '../../compiler/diagnostics/from-syntax.ts';
import { toJson } from '../../compiler/diagnostics/render-json.ts';
import { renderTerminal } from '../../compiler/diagnostics/render-terminal.ts';
import { parse } from '../../grammar/parse.ts';

const plain = { color: false, width: 100 };

/** A made-up message over the text between « and » in `text`. */
function marked(
  text: string,
  parts: Partial<Diagnostic> = {},
): { diagnostic: Diagnostic; source: (file: string) => string } {
  const start = text.indexOf('«');
  const end = text.indexOf('»') - 1;
  const clean = text.replace(/[«»]/g, '');
  const diagnostic: Diagnostic = {
    code: 'CROB1001',
    severity: 'error',
    message: 'message',
    span: { file: 'a.crob', start, end },
    notes: [],
    details: [],
    help: undefined,
    ...parts,
  };
  return { diagnostic, source: () => clean };
}

function render(text: string, parts: Partial<Diagnostic> = {}, options = plain): string {
  const { diagnostic, source } = marked(text, parts);
  return renderTerminal([diagnostic], source, options);
}

describe('terminal', () => {
  test('shows the place, the details and the help', () => {
    const details = [
      'up   : [B, 64, 2*floor(H/2), W]   upsample x2 (:40)',
      'skip : [B, 64, H, W]              input image (:9)',
    ];
    expect(render('let a = b\n    let y = «up + skip»\n', { details, help: 'add `where H % 2 == 0`' })).toBe(
      [
        'error[CROB1001]: message',
        '  a.crob:2:13   let y = up + skip',
        '                        ^^^^^^^^^',
        '  up   : [B, 64, 2*floor(H/2), W]   upsample x2 (:40)',
        '  skip : [B, 64, H, W]              input image (:9)',
        '  help: add `where H % 2 == 0`',
        '',
      ].join('\n'),
    );
  });

  test('lines up under tabs and wide characters', () => {
    expect(render('\tlet\tx = "日本" + «y»\n')).toBe(
      ['error[CROB1001]: message', '  a.crob:1:17   let x = "日本" + y', `${' '.repeat(33)}^`, ''].join('\n'),
    );
  });

  test('marks the end of a line and of the file', () => {
    expect(render('let x =«»\n')).toContain(`let x =\n${' '.repeat(22)}^\n`);
    expect(render('«»')).toContain('  a.crob:1:1\n               ^\n');
  });

  test('shows the first and the last line of a long span', () => {
    expect(render('  a = «Foo(\n    1,\n    2,\n  )»\n')).toBe(
      [
        'error[CROB1001]: message',
        '  a.crob:1:7   a = Foo(',
        '                   ^^^^',
        '               …',
        '               )',
        '               ^',
        '',
      ].join('\n'),
    );
    expect(render('«one\ntwo» three\n')).not.toContain('…');
  });

  test('cuts long lines around the span', () => {
    const text = `${'x + '.repeat(60)}«here» + ${'y + '.repeat(60)}z`;
    const [, line, mark] = render(text, {}, { color: false, width: 60 }).split('\n');
    expect(line!.length).toBeLessThanOrEqual(60);
    expect(line!.slice(mark!.indexOf('^'), mark!.lastIndexOf('^') + 1)).toBe('here');
    expect(line).toMatch(/… ?x.*…$/);
  });

  test('says notes at their place, aligned with the primary one', () => {
    const file = 'module Mlp(dim: int) {\n  fc1 = Linear(dim, 4 * dim\n  fc2 = Linear(4 * dim, dim)\n}\n';
    const faults = parse('mlp.crob', file).faults;
    expect(renderTerminal(faults.map(fromSyntax), () => file, plain)).toBe(
      [
        'error[CROB1007]: `(` is never closed',
        '  mlp.crob:2:15   fc1 = Linear(dim, 4 * dim',
        '                              ^',
        '  mlp.crob:3:3    fc2 = Linear(4 * dim, dim)',
        '                  --- still open here',
        '  help: write `)` before `fc2`',
        '',
      ].join('\n'),
    );
  });

  test('separates messages with a blank line, and names a file without text', () => {
    const { diagnostic } = marked('«x»');
    expect(renderTerminal([diagnostic, diagnostic], () => undefined, plain)).toBe(
      'error[CROB1001]: message\n  a.crob\n\nerror[CROB1001]: message\n  a.crob\n',
    );
  });

  test('color adds nothing but escapes', () => {
    const parts = { severity: 'warning' as const, help: 'help' };
    const esc = String.fromCharCode(27);
    const colored = render('let «x»', parts, { color: true, width: 100 });
    expect(colored).toContain(`${esc}[1;33mwarning[CROB1001]`);
    expect(colored.replaceAll(new RegExp(`${esc}\\[[0-9;]*m`, 'g'), '')).toBe(render('let «x»', parts));
  });
});

test('json', () => {
  const note = { span: { file: 'b.crob', start: 0, end: 1 }, text: 'there' };
  const { diagnostic, source } = marked('a\nlet «x\ny»', { notes: [note], details: ['d'] });
  const only = (file: string) => (file === 'a.crob' ? source(file) : undefined);
  expect([toJson(diagnostic, only)]).toEqual([
    {
      code: 'CROB1001',
      severity: 'error',
      message: 'message',
      file: 'a.crob',
      range: { start: { line: 2, column: 5 }, end: { line: 3, column: 2 } },
      notes: [{ file: 'b.crob', range: null, text: 'there' }],
      details: ['d'],
      help: null,
    },
  ]);
});
