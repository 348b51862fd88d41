import type { Span } from '../../../grammar/span.ts';
import type { Declaration, Ident, ModuleMember, SourceFile } from '../../../grammar/tree.ts';

/**
 * The uncertain parts of a file with syntax errors. Code that the errors do not affect is checked as usual; nothing
 * is reported that the unparsed text could refute.
 */
export interface Doubt {
  /** The file without declarations and members whose interface to other code is uncertain. */
  readonly tree: SourceFile;
  /** Every word of the unparsed text: any of them may be declared there. */
  readonly words: ReadonlySet<string>;
  /** Declarations that contain unparsed text. */
  readonly declarations: ReadonlySet<Declaration>;
  /** Bodies with an unparsed statement: only names are checked in them. */
  readonly places: readonly Span[];
}

export function doubtOf(tree: SourceFile): Doubt {
  const spans = tree.unread.map(({ span }) => span);
  const starts = new Set(spans.map(({ start }) => start));
  const isLost = ({ span }: { readonly span: Span }) => starts.has(span.start);
  const inside = (around: Span | undefined) => spans.filter((span) => beginsIn(span, around)).length;
  const places: Span[] = [];
  /** Names of what is left out: the fault may be in a block further in, and only that is unparsed. */
  const dropped: string[] = [];
  /** Whether the signature of an item with a body was parsed completely. */
  const isKnown = (item: Body): boolean => {
    const all = inside(item.span);
    if (all === 0) return true;
    if (isLost(item) || inside(item.body?.span) < all) return false;
    places.push(item.span);
    // Otherwise the result type would be inferred from an incomplete body.
    return item.result !== undefined;
  };
  const isKnownMember = (member: ModuleMember) => {
    if (member.kind === 'method') return isKnown(member);
    // The interface declares its result type.
    return member.kind === 'implementation' ? isKnown({ ...member, result: true }) : inside(member.span) === 0;
  };
  const isKnownDeclaration = (decl: Declaration): boolean => {
    if (decl.kind === 'fn') return isKnown(decl);
    if (isLost(decl)) return false;
    // Of models, recipes and weights maps, `isUncertain` knows.
    if (decl.kind === 'type' || decl.kind === 'example') return inside(decl.span) === 0;
    if (decl.kind !== 'module' && decl.kind !== 'interface') return true;
    return [...decl.attributes, ...decl.params, ...decl.where].every(({ span }) => inside(span) === 0);
  };
  const keep = <Item extends { readonly name: Ident }>(items: readonly Item[], test: (item: Item) => boolean): Item[] =>
    items.filter((item) => {
      const isKept = test(item);
      if (!isKept) dropped.push(item.name.name);
      return isKept;
    });
  const kept = keep(tree.declarations, isKnownDeclaration).map((decl): Declaration => {
    if (decl.kind !== 'module' && decl.kind !== 'interface') return decl;
    const members = keep(decl.members, isKnownMember);
    return members.length === decl.members.length ? decl : { ...decl, members };
  });
  const texts = spans.map(({ start, end }) => tree.text.slice(start, end)).concat(dropped);
  return {
    tree: { ...tree, declarations: kept },
    words: new Set(texts.flatMap((text) => text.match(/[A-Za-z_]\w*/g) ?? [])),
    declarations: new Set(kept.filter((decl) => inside(decl.span) > 0)),
    places,
  };
}

/** Whether the declaration or member with this name has a body of which a statement could not be parsed. */
export function hasUnparsed({ doubt }: { readonly doubt: Doubt | undefined }, name: Span): boolean {
  return doubt?.places.some((around) => beginsIn(name, around)) === true;
}

interface Body {
  readonly name: Ident;
  readonly span: Span;
  readonly result: unknown;
  readonly body: { readonly span: Span } | undefined;
}

/** Only the start is compared, since unparsed text may extend beyond the parsed part. */
function beginsIn({ start }: Span, around: Span | undefined): boolean {
  return around !== undefined && around.start <= start && start < around.end;
}
