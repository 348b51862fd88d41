import { describe, expect, test } from 'vitest';
import { syntaxMessages } from '../../compiler/diagnostics/messages/syntax.ts';
import { parse } from '../../grammar/parse.ts';

describe('each syntax message', () => {
  test.each(Object.entries(syntaxMessages))('%s has an example that gives it and nothing else', (code, row) => {
    const { faults } = parse('example.crob', row.example);
    expect(faults.map((fault) => fault.code)).toEqual([code]);
  });

  test.each(Object.entries(syntaxMessages))('%s gets every argument that it names', (_, row) => {
    const [fault] = parse('example.crob', row.example).faults;
    const named = [row.template, 'help' in row ? row.help : ''].join(' ').matchAll(/\{(\w+)\}/g);
    for (const [, name] of named) expect(fault?.args).toHaveProperty(name!);
  });
});
