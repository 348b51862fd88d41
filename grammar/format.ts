import { docLines, type Entry } from './format-lists.ts';
import { StatementFormatter } from './format-statements.ts';
import { fill, group, hardline, indent, type Layout, line, print, suffix } from './layout.ts';
import type {
  Attribute,
  Declaration,
  Expr,
  Ident,
  ModelMember,
  ModuleMember,
  Param,
  Path,
  RecipeMember,
  SourceFile,
  Type,
  UseDecl,
} from './tree.ts';

const columns = 100;

/**
 * Returns the text of a tree in the canonical style: indentation of two spaces, lines up to 100 columns where they
 * can break. Order and comments are kept, with at most one blank line between two entries; code on one line stays on
 * one line if it fits. Formatting is idempotent, and the text parses to the same tree. A tree with faults lacks the
 * code that could not be parsed: do not write its text back.
 */
export function format(tree: SourceFile): string {
  return new Formatter(tree).file(tree);
}

class Formatter extends StatementFormatter {
  file(tree: SourceFile): string {
    const out: string[] = [];
    if (tree.docs.length > 0) {
      const start = Math.max(0, tree.text.search(/^[ \t]*\/\/\/(?!\/)/m));
      for (const comment of this.trivia.before(start))
        out.push(this.#blank(comment.span.start, out), comment.text, '\n');
      out.push(this.#blank(start, out), docLines(tree.docs).join('\n'), '\n');
    }
    const items = [...tree.uses, ...tree.declarations].sort((a, b) => a.span.start - b.span.start);
    let last: { readonly kind: string; readonly text: string } | undefined;
    for (const item of items) {
      const docs = item.kind === 'use' ? [] : item.docs;
      const top = docs.length > 0 ? this.trivia.docsStart(item.span.start, docs.length) : item.span.start;
      let apart = last === undefined && tree.docs.length > 0;
      const lead: string[] = [];
      for (const comment of this.trivia.before(top)) {
        if (!comment.ownLine && lead.length === 0 && last) out.splice(-1, 0, ` ${comment.text}`);
        else
          lead.push(
            lead.length === 0 ? this.#gap(comment.span.start) : this.#gap(comment.span.start),
            comment.text,
            '\n',
          );
      }
      const body: Layout[] = docLines(docs).map((text) => [text, hardline]);
      for (const comment of this.trivia.before(item.span.start)) body.push([comment.text, hardline]);
      body.push(item.kind === 'use' ? this.#use(item) : this.#declaration(item));
      const text = print(body, columns);
      const plain = item.kind === 'use';
      apart ||=
        last !== undefined &&
        ((!plain && last.kind === 'use') ||
          (!plain && text.includes('\n')) ||
          (last.kind !== 'use' && last.text.includes('\n')));
      const gap = this.#gap(top);
      const parts = lead.length > 0 ? [...lead, gap] : [gap];
      if (out.length === 0) parts[0] = '';
      else if (apart) parts[0] = '\n';
      out.push(...parts, text, '\n');
      last = { kind: item.kind, text };
    }
    for (const comment of this.trivia.before(Number.POSITIVE_INFINITY)) {
      if (!comment.ownLine && last) out.splice(-1, 0, ` ${comment.text}`);
      else out.push(this.#blank(comment.span.start, out), comment.text, '\n');
      last = undefined;
    }
    return out.join('');
  }

  /** A blank line if the source has one. */
  #gap(offset: number): string {
    return this.trivia.blankAbove(offset) ? '\n' : '';
  }

  #blank(offset: number, out: readonly string[]): string {
    return out.length === 0 ? '' : this.#gap(offset);
  }

  #use(use: UseDecl): Layout {
    const names = use.names.map(
      ({ name, alias }): Entry => ({
        start: name.span.start,
        end: (alias ?? name).span.end,
        layout: () => (alias ? `${name.name} as ${alias.name}` : name.name),
      }),
    );
    return ['use ', use.path.map((part) => `${part.name}.`).join(''), this.list('{', names, '}', use.span.end - 1)];
  }

  /** Attributes are on their own line if the source has them there. `next` is the offset of the code after them. */
  #attributes(attributes: readonly Attribute[], next: number): Layout {
    return attributes.map((attribute, i): Layout => {
      const layout = [
        `@${attribute.name.name}`,
        attribute.args.length > 0 ? this.args(attribute.args, attribute.span.end - 1) : [],
      ];
      const until = attributes[i + 1]?.span.start ?? next;
      const comments = this.trivia.before(until);
      if (comments.length === 0) return [layout, this.trivia.breaksBetween(attribute.span.end, until) ? hardline : ' '];
      return [
        layout,
        comments.map((comment) => [comment.ownLine ? [hardline, comment.text] : suffix(comment.text)]),
        hardline,
      ];
    });
  }

  #params(params: readonly Param[]): Layout {
    const last = params[params.length - 1];
    if (!last) return '()';
    const entries = params.map(
      (param): Entry => ({
        ...param.span,
        docs: param.docs,
        layout: () => [
          param.name.name,
          ': ',
          this.type(param.type),
          param.value ? [' = ', this.expr(param.value)] : [],
        ],
      }),
    );
    return this.list('(', entries, ')', this.trivia.solid(last.span.end));
  }

  /** Result type and `where` clauses; each moves to its own line if it does not fit. */
  #tail(result: Type | undefined, where: readonly Expr[]): Layout {
    const parts: Layout[] = [];
    if (result) parts.push(group(indent([line, '-> ', this.type(result)], 4)));
    if (where.length > 0)
      parts.push(
        group(
          indent(
            [
              line,
              this.clauses(
                'where',
                where.map((clause) => this.entry(clause)),
              ),
            ],
            4,
          ),
        ),
      );
    return parts;
  }

  #declaration(item: Declaration): Layout {
    const inline = this.trivia.inline(headerEnd(item), item.span.end);
    const end = item.span.end - 1;
    const attributes = this.#attributes(item.attributes, item.name.span.start);
    const { name } = item.name;
    switch (item.kind) {
      case 'module': {
        const head: Layout = [
          `module ${name}`,
          this.#params(item.params),
          promised(item),
          this.#tail(undefined, item.where),
        ];
        return [
          attributes,
          head,
          ' ',
          this.body(
            item.members.map((member) => this.#moduleMember(member)),
            end,
            inline,
          ),
        ];
      }
      case 'interface': {
        const params = item.params.length > 0 ? this.#params(item.params) : '';
        const head: Layout = [`interface ${name}`, params, promised(item), this.#tail(undefined, item.where)];
        return [
          attributes,
          head,
          ' ',
          this.body(
            item.members.map((member) => this.#moduleMember(member)),
            end,
            inline,
          ),
        ];
      }
      case 'fn': {
        const head: Layout = [attributes, `fn ${name}`, this.#params(item.params), this.#tail(item.result, item.where)];
        const { statements, value, span } = item.body;
        const equals = statements.length === 0 && value !== undefined && this.trivia.at(span.start) !== '{';
        if (equals) return [head, ' =', group(indent([line, this.expr(value)]))];
        return [head, ' ', this.block(item.body)];
      }
      case 'type': {
        const params = item.params.length > 0 ? this.#params(item.params) : '';
        return [attributes, `type ${name}`, params, ' = ', this.type(item.type)];
      }
      case 'model': {
        const params = item.params.length > 0 ? this.#params(item.params) : '';
        const base = item.base ? ` extends ${item.base.name}` : '';
        const head: Layout = [`model ${name}`, params, base, this.#tail(undefined, item.where)];
        return [
          attributes,
          head,
          ' ',
          this.body(
            item.members.map((member) => this.#modelMember(member)),
            end,
            inline,
          ),
        ];
      }
      case 'recipe': {
        const model = item.model ? ` for ${item.model.name}` : '';
        const bindings = item.bindings.map(
          ({ name: dim, value }): Entry => ({
            start: dim.span.start,
            end: value.span.end,
            layout: () => [dim.name, ' = ', this.expr(value)],
          }),
        );
        const at = bindings.length > 0 ? [' ', this.clauses('at', bindings)] : [];
        const base = item.base ? ` extends ${item.base.name}` : '';
        const head: Layout = [`recipe ${name}${model}`, at, base];
        return [
          attributes,
          head,
          ' ',
          this.body(
            item.members.map((member) => this.#recipeMember(member)),
            end,
            inline,
          ),
        ];
      }
      case 'weights': {
        const rules = item.rules.map(
          (rule): Entry => ({
            ...rule.span,
            layout: () => group(this.expr(rule.from), ' ->', indent([line, this.expr(rule.to)])),
          }),
        );
        return [attributes, `weights ${name} for ${item.target.name} `, this.body(rules, end, inline)];
      }
      case 'example':
        return [attributes, 'example ', this.expr(item.value)];
    }
  }

  #given(name: string, type: Type | undefined, sign: string, value: Expr | undefined): Layout {
    return [name, type ? [': ', this.type(type)] : [], value ? [` ${sign} `, this.expr(value)] : []];
  }

  /** A part and its value; the value may be `e if c`. */
  #part(name: Layout, value: Expr): Layout {
    if (value.kind !== 'if' || !value.suffix || !value.then.value) return [name, ' = ', this.expr(value)];
    return [name, ' = ', this.expr(value.then.value), ' if ', this.expr(value.condition)];
  }

  #moduleMember(member: ModuleMember): Entry {
    const { name } = member.name;
    const layout = (): Layout => {
      switch (member.kind) {
        case 'param':
          return [
            this.#attributes(member.attributes, member.name.span.start),
            'param ',
            this.#given(name, member.type, '~', member.init),
          ];
        case 'buffer':
          return [
            this.#attributes(member.attributes, member.name.span.start),
            'buffer ',
            this.#given(name, member.type, '=', member.value),
          ];
        case 'static':
          return ['static ', this.#given(name, member.type, '=', member.value)];
        case 'field':
          return [this.#attributes(member.attributes, member.name.span.start), this.#part(name, member.value)];
        case 'implementation':
          return [name === 'forward' ? name : `method ${name}`, ' ', this.block(member.body)];
        case 'method': {
          const head: Layout = [
            name === 'forward' ? name : `method ${name}`,
            this.#params(member.params),
            this.#tail(member.result, member.where),
          ];
          return member.body ? [head, ' ', this.block(member.body)] : head;
        }
      }
    };
    return { ...member.span, docs: member.docs, layout };
  }

  #modelMember(member: ModelMember): Entry {
    const layout = (): Layout => {
      switch (member.kind) {
        case 'model-field':
          return [
            this.#attributes(member.attributes, member.path.span.start),
            this.#part(this.#path(member.path), member.value),
          ];
        case 'input':
          return ['input ', this.#given(member.name.name, member.type, '=', undefined)];
        case 'model-let':
          return ['let ', this.#given(member.name.name, undefined, '=', member.value)];
        case 'model-let-items':
          return this.letItems(member.names, member.value);
        case 'output': {
          const stage = member.stage ? `(${member.stage.name})` : '';
          return [`output${stage} `, this.#given(member.name.name, member.type, '=', member.value)];
        }
        case 'without':
          return ['without ', this.#path(member.path)];
      }
    };
    return { ...member.span, docs: member.kind === 'without' ? [] : member.docs, layout };
  }

  #recipeMember(member: RecipeMember): Entry {
    const layout = (): Layout => {
      switch (member.kind) {
        case 'input':
          return ['input ', this.#given(member.name.name, member.type, '=', undefined)];
        case 'model-let':
          return ['let ', this.#given(member.name.name, undefined, '=', member.value)];
        case 'model-let-items':
          return this.letItems(member.names, member.value);
        case 'without':
          return `without ${member.name.name}`;
        case 'term':
          return ['term ', this.#given(member.name.name, undefined, '=', member.value)];
        case 'setting': {
          const [first, ...more] = member.value;
          const then = more.map((part): Layout => [line, 'then ', this.expr(part)]);
          return group(member.name.name, ' = ', this.expr(first!), indent(then));
        }
        case 'group': {
          const settings = member.settings.map(
            ({ name, value }): Entry => ({
              start: name.span.start,
              end: value.span.end,
              layout: () => this.#given(name.name, undefined, '=', value),
            }),
          );
          const inline = this.trivia.inline(member.path.span.end, member.span.end);
          return ['group ', this.#path(member.path), ' ', this.body(settings, member.span.end - 1, inline)];
        }
        case 'freeze':
          return [`${member.mode} `, this.#path(member.path)];
        case 'init':
          return [
            'init ',
            this.#path(member.path),
            ' from ',
            this.expr(member.from),
            member.via ? ` via ${member.via.name}` : '',
            member.except.length > 0 ? [' except ', this.#paths(member.except)] : '',
          ];
        case 'train':
          return [`train ${member.mode === 'only' ? 'only' : 'all except'} `, this.#paths(member.paths)];
        case 'start':
          return `start from ${member.recipe.name}`;
      }
    };
    return { ...member.span, docs: 'docs' in member ? member.docs : [], layout };
  }

  #paths(paths: readonly Path[]): Layout {
    const parts = paths.flatMap((path, i): Layout[] => {
      const written: Layout = i < paths.length - 1 ? [this.#path(path), ','] : this.#path(path);
      return i === 0 ? [written] : [line, written];
    });
    return indent(fill(parts));
  }

  #path({ steps }: Path): Layout {
    return steps.map((step, i): Layout => {
      if (step.kind === 'name') return i === 0 ? step.name.name : `.${step.name.name}`;
      if (step.kind === 'at') return ['[', this.expr(step.value, 0, true), ']'];
      const bracket = this.trivia.at(step.span.start);
      return bracket === '[' || (bracket === undefined && i < steps.length - 1) ? '[*]' : '.*';
    });
  }
}

/** The list of interfaces in the header of a module or interface. */
function promised({ implements: names }: { readonly implements: readonly Ident[] }): string {
  return names.length > 0 ? `: ${names.map(({ name }) => name).join(', ')}` : '';
}

/** The end offset of a declaration's header. */
function headerEnd(item: Declaration): number {
  const ends = [item.name.span.end];
  if ('params' in item) ends.push(...item.params.map((param) => param.span.end));
  if ('implements' in item) ends.push(...item.implements.map((promised) => promised.span.end));
  if ('where' in item) ends.push(...item.where.map((clause) => clause.span.end));
  if ('base' in item && item.base) ends.push(item.base.span.end);
  if (item.kind === 'recipe') ends.push(item.model?.span.end ?? 0, ...item.bindings.map(({ value }) => value.span.end));
  if (item.kind === 'weights') ends.push(item.target.span.end);
  return Math.max(...ends);
}
