import type { Log, PhysicalLocation, ReportingDescriptor, Result } from 'sarif';
import type { MessageRow } from './message-row.ts';
import { messages as catalogue, type MessageCode } from './messages.ts';
import type { JsonDiagnostic } from './render-json.ts';
import { plainText } from './render-plain.ts';
import type { SourceText } from './render-terminal.ts';

export interface SarifOptions {
  /** Version of crobc. */
  readonly version: string;
  readonly source: SourceText;
  /** Whether a source ships with crobc; such sources are not below the working folder. */
  readonly isShipped: (file: string) => boolean;
  readonly sha256: (text: string) => string;
}

/**
 * Returns messages in the Static Analysis Results Interchange Format (SARIF 2.1.0, OASIS). Rules are the codes of the
 * catalogue. A fingerprint depends on the code, the file, the text of the line and how often the same came before, so that it
 * stays the same if lines are added elsewhere. Messages without a code are notifications of the tool.
 */
export function toSarif(messages: readonly JsonDiagnostic[], options: SarifOptions): Log {
  const coded = messages.filter((one): one is JsonDiagnostic & { readonly code: MessageCode } => one.code !== null);
  const used = [...new Set(coded.map(({ code }) => code))].sort();
  const seen = new Map<string, number>();
  const results = coded.map((message): Result => {
    const { code, severity, file, range, notes } = message;
    const key = [code, file, lineOf(message, options.source)].join('\n');
    const before = seen.get(key) ?? 0;
    seen.set(key, before + 1);
    const related = notes.map(({ text, ...place }) => ({
      message: { text },
      physicalLocation: location(place.file, place.range, options),
    }));
    return {
      ruleId: code,
      ruleIndex: used.indexOf(code),
      level: severity,
      message: { text: plainText(message) },
      locations: [{ physicalLocation: location(file, range, options) }],
      ...(related.length > 0 ? { relatedLocations: related } : {}),
      partialFingerprints: { 'crobcMessage/v1': options.sha256(`${key}\n${before}`) },
    };
  });
  const notifications = messages
    .filter(({ code }) => code === null)
    .map((message) => ({
      level: message.severity,
      message: { text: plainText(message) },
      locations: [{ physicalLocation: location(message.file, null, options) }],
    }));
  return {
    $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'crobc', version: options.version, rules: used.map(rule) } },
        columnKind: 'utf16CodeUnits',
        originalUriBaseIds: { CROBC: { description: { text: 'The folder of the files that ship with crobc.' } } },
        invocations: [
          {
            executionSuccessful: notifications.length === 0,
            ...(notifications.length > 0 ? { toolExecutionNotifications: notifications } : {}),
          },
        ],
        results,
      },
    ],
  };
}

function rule(code: MessageCode): ReportingDescriptor {
  const { title, explanation, severity }: MessageRow = catalogue[code];
  return {
    id: code,
    shortDescription: { text: title },
    help: { text: explanation, markdown: explanation },
    defaultConfiguration: { level: severity },
  };
}

function location(file: string, range: JsonDiagnostic['range'], { isShipped }: SarifOptions): PhysicalLocation {
  const path = file
    .replaceAll('\\', '/')
    .split('/')
    .map(encodeURIComponent)
    .join('/')
    .replace(/^(\.\/)+/, '');
  const uri = path.startsWith('/') ? `file://${path}` : path;
  return {
    artifactLocation: { uri, ...(isShipped(file) ? { uriBaseId: 'CROBC' } : {}) },
    ...(range
      ? {
          region: {
            startLine: range.start.line,
            startColumn: range.start.column,
            endLine: range.end.line,
            endColumn: range.end.column,
          },
        }
      : {}),
  };
}

/** Returns the text of the line of a message, without indentation. */
function lineOf({ file, range }: JsonDiagnostic, source: SourceText): string {
  return (range && source(file)?.split('\n')[range.start.line - 1]?.trim()) ?? '';
}
