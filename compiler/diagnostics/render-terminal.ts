import type { Span } from '../../grammar/span.ts';
import { detailLines } from './details.ts';
import type { Diagnostic, Severity } from './diagnostic.ts';
import { type ExcerptLine, excerpt } from './excerpt.ts';
import { visible, visibleLines } from './visible.ts';

/** Returns the text of the file of a span; undefined if it is not available. */
export type SourceText = (file: string) => string | undefined;

export interface TerminalOptions {
  readonly color: boolean;
  /** Terminal columns; longer source lines are truncated around the marked part. */
  readonly width: number;
}

/**
 * Renders diagnostics for a terminal, separated by blank lines:
 *
 *     error[CROB2104]: cannot add `skip`: height 2*floor(H/2) is not H
 *       decoder.crob:41:12   up + skip
 *                            ^^^^^^^^^
 *       up   : [B, 64, 2*floor(H/2), W]   upsample x2 (:40)
 *       help: add `where H % 2 == 0` to model Seg (:8)
 */
export function renderTerminal(
  diagnostics: readonly Diagnostic[],
  source: SourceText,
  options: TerminalOptions,
): string {
  return diagnostics.map((diagnostic) => renderOne(diagnostic, source, options)).join('\n');
}

interface Place {
  readonly location: string;
  readonly lines: readonly ExcerptLine[];
  readonly primary: boolean;
  readonly text: string;
}

function renderOne(diagnostic: Diagnostic, source: SourceText, { color, width }: TerminalOptions): string {
  const paint = color ? painted : plain;
  const tone = tones[diagnostic.severity];
  const place = (span: Span, primary: boolean, text: string): Place => {
    const whole = source(span.file);
    if (whole === undefined) return { location: visible(span.file), lines: [], primary, text };
    // The width of the location depends on its line number, so the room is computed with a typical width.
    const lines = excerpt(whole, span, width - span.file.length - 14);
    const [{ line, column }] = lines;
    return { location: `${visible(span.file)}:${line}:${column}`, lines, primary, text };
  };
  const primary = place(diagnostic.span, true, '');
  const notes = diagnostic.notes.map((note) => place(note.span, false, note.text));
  const gutter = Math.max(...[primary, ...notes].map((p) => p.location.length)) + 3;
  return [
    `${paint(tone, `${diagnostic.severity}[${diagnostic.code}]`)}${paint('bold', `: ${visible(diagnostic.message)}`)}`,
    ...renderPlace(primary, gutter, paint, tone),
    ...detailLines(diagnostic.details, diagnostic.span.file).map((line) => `  ${visible(line)}`),
    ...notes.flatMap((note) => renderPlace(note, gutter, paint, 'cyan')),
    ...(diagnostic.help === undefined ? [] : [`  ${paint('green', 'help')}: ${visibleLines(diagnostic.help)}`]),
    '',
  ].join('\n');
}

function renderPlace(place: Place, gutter: number, paint: Paint, tone: Tone): string[] {
  const blank = ' '.repeat(gutter + 2);
  const note = place.text === '' ? '' : ` ${paint(tone, visible(place.text))}`;
  const [first] = place.lines;
  if (!first) return [`  ${place.location}${note}`];
  const out: string[] = [];
  place.lines.forEach((line, i) => {
    if (i > 0 && line.line > first.line + 1) out.push(`${blank}${paint('dim', '…')}`);
    const gap = i === 0 ? `  ${paint('dim', place.location)}${' '.repeat(gutter - place.location.length)}` : blank;
    const mark = (place.primary ? '^' : '-').repeat(line.length);
    out.push(`${gap}${line.text}`.trimEnd());
    const last = i === place.lines.length - 1;
    out.push(`${blank}${' '.repeat(line.indent)}${paint(tone, mark)}${last ? note : ''}`);
  });
  return out;
}

type Tone = 'red' | 'yellow' | 'cyan' | 'green' | 'bold' | 'dim';
const tones: Record<Severity, Tone> = { error: 'red', warning: 'yellow', note: 'cyan' };
type Paint = (tone: Tone, text: string) => string;

/** ANSI SGR parameters. */
const codes: Record<Tone, string> = { red: '1;31', yellow: '1;33', cyan: '36', green: '1;32', bold: '1', dim: '2' };
const painted: Paint = (tone, text) => `\u001b[${codes[tone]}m${text}\u001b[0m`;
const plain: Paint = (_, text) => text;
