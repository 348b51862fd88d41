import { brokenLines, lineLength } from './layout.ts';
import { inHiddenBrackets, type Leaf, leavesOf, textOf } from './leaves.ts';
import type { PyParam, PyStatement } from './tree.ts';

/** Returns the lines of statements, laid out as the formatter black does. */
export function linesOf(statements: readonly PyStatement[], indent: number): readonly string[] {
  const out: string[] = [];
  for (const [i, statement] of statements.entries()) {
    if (i > 0 && isDefinition(statement)) out.push('');
    else if (i > 0 && isDefinition(statements[i - 1])) out.push('');
    else if (i > 0 && statements[i - 1]?.kind === 'docstring' && statement.kind !== 'docstring' && indent === 4)
      out.push('');
    out.push(...lines(statement, indent));
  }
  return out;
}

function isDefinition(statement: PyStatement | undefined): boolean {
  return statement?.kind === 'def' || statement?.kind === 'class';
}

function lines(statement: PyStatement, indent: number): readonly string[] {
  const pad = ' '.repeat(indent);
  switch (statement.kind) {
    case 'assign': {
      const annotation = statement.annotation();
      const target = annotation === undefined ? statement.target : `${statement.target}: ${annotation}`;
      const head: Leaf[] = [
        { text: target, space: false },
        { text: '=', space: true },
      ];
      return commented(head, leavesOf(statement.value), indent, statement.comment);
    }
    case 'expression':
      return commented([], leavesOf(statement.value), indent, undefined);
    case 'return':
      return commented([{ text: 'return', space: false }], leavesOf(statement.value), indent, statement.comment);
    case 'raise':
      return commented([{ text: 'raise', space: false }], leavesOf(statement.error), indent, undefined);
    case 'comment':
      return [`${pad}# ${statement.text}`.trimEnd()];
    case 'lines':
      return statement.lines.map((line) => (line === '' ? '' : pad + line));
    case 'docstring':
      return docstring(statement.lines, pad);
    case 'field':
      return [`${pad}${statement.name}: ${statement.type}`];
    case 'if': {
      const chain = statement.otherwise;
      const [only] = chain;
      const then = block(statement.then, indent + 4);
      const head = broken([{ text: 'if', space: false }], leavesOf(statement.test), indent, ':');
      if (chain.length === 0) return [...head, ...then];
      if (chain.length === 1 && only?.kind === 'if') {
        const [first = '', ...others] = lines(only, indent);
        return [...head, ...then, `${pad}el${first.trimStart()}`, ...others];
      }
      return [...head, ...then, `${pad}else:`, ...block(chain, indent + 4)];
    }
    case 'for': {
      const head: Leaf[] = [
        { text: `for ${statement.target}`, space: false },
        { text: 'in', space: true },
      ];
      return [...broken(head, leavesOf(statement.iterable), indent, ':'), ...block(statement.body, indent + 4)];
    }
    case 'def':
      return definition(statement, indent);
    case 'class':
      return [`${pad}class ${statement.name}(${statement.bases.join(', ')}):`, ...block(statement.body, indent + 4)];
  }
}

function block(statements: readonly PyStatement[], indent: number): readonly string[] {
  const isEmpty = statements.every(({ kind }) => kind === 'comment');
  return [...linesOf(statements, indent), ...(isEmpty ? [`${' '.repeat(indent)}pass`] : [])];
}

/** A statement and its comment: behind it where both fit in one line, otherwise above it. */
function commented(
  head: readonly Leaf[],
  value: readonly Leaf[],
  indent: number,
  comment: string | undefined,
): readonly string[] {
  const pad = ' '.repeat(indent);
  const found = broken(head, value, indent, '');
  if (comment === undefined) return found;
  const [only] = found;
  if (found.length === 1 && only !== undefined && only.length + comment.length + 4 <= lineLength)
    return [`${only}  # ${comment}`];
  return [`${pad}# ${comment}`, ...found];
}

/** A statement: the value of one that begins with a keyword or a target can be put in brackets. */
function broken(head: readonly Leaf[], value: readonly Leaf[], indent: number, end: string): readonly string[] {
  const isWrapped = head.length > 0 && head[0]?.text !== 'raise';
  const spaced = value.map((leaf, i) => (i === 0 ? { ...leaf, space: head.length > 0 } : leaf));
  const body = isWrapped
    ? inHiddenBrackets(
        value.map((leaf, i) => (i === 0 ? { ...leaf, space: false } : leaf)),
        true,
      )
    : spaced;
  return brokenLines([...head, ...body, ...(end === '' ? [] : [{ text: end, space: false }])], indent);
}

function docstring(text: readonly string[], pad: string): readonly string[] {
  const safe = text.map((line) => line.replace(/\\/g, '\\\\').replace(/"""/g, "'''"));
  const [first = '', ...others] = safe;
  if (others.length === 0 && pad.length + first.length + 6 <= lineLength) return [`${pad}"""${first}"""`];
  return [`${pad}"""${first}`, ...others.map((line) => (line === '' ? '' : pad + line)), `${pad}"""`];
}

function definition(statement: Extract<PyStatement, { kind: 'def' }>, indent: number): readonly string[] {
  const { name, params, self, result, body, keywordOnly } = statement;
  const pad = ' '.repeat(indent);
  const written = params.map(parameter);
  if (keywordOnly !== undefined) written.splice(keywordOnly, 0, '*');
  if (self) written.unshift('self');
  const end = `) -> ${result}:`;
  const inside = block(body, indent + 4);
  const short = `${pad}def ${name}(${written.join(', ')}${end}`;
  if (short.length <= lineLength) return [short, ...inside];
  const one = `${pad}    ${written.join(', ')}`;
  const middle = one.length <= lineLength && written.length > 1 ? [one] : written.map((param) => `${pad}    ${param},`);
  return [`${pad}def ${name}(`, ...middle, `${pad}${end}`, ...inside];
}

function parameter({ name, type, value }: PyParam): string {
  return value ? `${name}: ${type} = ${textOf(leavesOf(value))}` : `${name}: ${type}`;
}
