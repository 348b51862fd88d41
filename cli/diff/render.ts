import { visible } from '../../compiler/diagnostics/visible.ts';
import type { ModelDifferences } from '../../runtime/diff/differences.ts';
import { table } from '../table.ts';
import { type Block, type ReportOptions, reportOf, type Section, verdictText } from './report.ts';

/** Renders the differences of two models for a terminal of so many columns. */
export function renderText(found: ModelDifferences, options: ReportOptions, columns: number | undefined): string {
  const { before, after } = found;
  const verdict = verdictText(found);
  const heads = [`--- ${nameOf(before)}`, `+++ ${nameOf(after)}`].map(visible);
  if (found.verdict === 'none') return [...heads, verdict, ''].join('\n');
  const sections = reportOf(found, options).map((section) => textSection(section, columns));
  return [...heads, ...(verdict === undefined ? [] : [verdict]), '', sections.join('\n')].join('\n');
}

function nameOf({ file, model }: { readonly file: string; readonly model: string }): string {
  return `${file}:${model}`;
}

function textSection({ title, blocks }: Section, columns: number | undefined): string {
  const inner = columns === undefined ? undefined : columns - 2;
  return [visible(title), ...blocks.flatMap((block) => textBlock(block, inner)), ''].join('\n');
}

function textBlock(block: Block, columns: number | undefined): string[] {
  switch (block.kind) {
    case 'table': {
      const [, ...heads] = block.heads;
      const text = table(
        ['', ...heads],
        block.rows,
        block.heads.map(() => 'left'),
        columns,
      );
      return text.split('\n').map((line) => `  ${line}`.trimEnd());
    }
    case 'code':
      return [
        ...(block.title === '' ? [] : [`  ${visible(block.title)}`]),
        ...block.lines.map(({ mark, text }) => `  ${mark} ${visible(text)}`.trimEnd()),
      ];
    case 'line':
      return [`  ${visible(block.text)}`];
  }
}

/** Renders the differences of two models for a comment of a pull request. */
export function renderMarkdown(found: ModelDifferences, options: ReportOptions): string {
  const { before, after } = found;
  const title = before.model === after.model ? code(after.model) : `${code(before.model)} → ${code(after.model)}`;
  const files = before.file === after.file ? code(after.file) : `${code(before.file)} → ${code(after.file)}`;
  const verdict = verdictText(found);
  const sections = found.verdict === 'none' ? [] : reportOf(found, options);
  return [
    `### ${title}`,
    '',
    verdict === undefined ? `in ${files}` : `in ${files}: ${verdict}`,
    '',
    ...sections.flatMap(markdownSection),
  ].join('\n');
}

function markdownSection({ title, blocks }: Section): string[] {
  return [`**${escaped(title)}**`, '', ...blocks.flatMap((block) => [...markdownBlock(block), ''])];
}

function markdownBlock(block: Block): string[] {
  switch (block.kind) {
    case 'table': {
      const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
      return [
        row(block.heads.map(escaped)),
        row(block.heads.map(() => '---')),
        ...block.rows.map((cells) => row(cells.map((cell) => (cell === '' ? '' : code(cell))))),
      ];
    }
    case 'code':
      return [
        ...(block.title === '' ? [] : [code(block.title), '']),
        '```diff',
        ...block.lines.map(({ mark, text }) => `${mark} ${visible(text).replaceAll('```', "'''")}`.trimEnd()),
        '```',
      ];
    case 'line':
      return [escaped(block.text)];
  }
}

/** A code span of GitHub's Markdown, which is also right inside a table. */
function code(text: string): string {
  const shown = visible(text).replaceAll('|', '\\|');
  return shown.includes('`') ? `\`\` ${shown} \`\`` : `\`${shown}\``;
}

function escaped(text: string): string {
  return visible(text).replace(/[\\`*_<>|[\]]/g, (c) => `\\${c}`);
}
