import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { ModelGraph } from '../elaborate/models/model.ts';
import type { Found } from '../elaborate/source/file-scope.ts';
import type { Program } from '../elaborate/source/program.ts';
import { isSameMeaning, isSound, type Meaning, type MeaningOptions, meaningOf } from './meaning.ts';

/** What the check of a declaration found. */
export interface DeclarationCheck {
  readonly diagnostics: readonly Diagnostic[];
  /** The graph of a model without errors. */
  readonly model: ModelGraph | undefined;
  /** The modules, of any file, that were constructed: by `moduleKey`. */
  readonly constructed: ReadonlySet<string>;
}

interface Silent {
  readonly meaning: Meaning;
  readonly check: DeclarationCheck;
}

/**
 * The last check of each declaration that gave no message. It holds while the declaration means the same, wherever it has
 * moved in its file: places are only in messages. A check with messages may also depend on what the text does not name,
 * such as similar names.
 */
export class SilentChecks {
  readonly #reading: MeaningOptions;
  readonly #known = new Map<string, Silent>();

  /** `library` are the paths of files whose changes begin with nothing known. */
  constructor(library: Iterable<string>) {
    this.#reading = { library: new Set(library), readings: new WeakMap() };
  }

  /** Returns the earlier check of a declaration, if it holds. Places inside of its model may be those of an earlier text. */
  find(program: Program, at: Found): DeclarationCheck | undefined {
    const key = keyOf(at);
    const known = this.#known.get(key);
    if (!known) return undefined;
    const meaning = meaningOf(at, this.#reading);
    if (!isSameMeaning(known.meaning, meaning) || !isSound(program, meaning)) return undefined;
    const { model } = known.check;
    const check = model && at.decl.kind === 'model' ? { ...known.check, model: placedAt(model, at) } : known.check;
    // The earlier meaning would keep scopes of earlier programs.
    this.#known.set(key, { meaning, check });
    return check;
  }

  /** Keeps the check of a declaration of a program, unless a later check might find a message. */
  keep(program: Program, at: Found, check: DeclarationCheck): void {
    if (check.diagnostics.length > 0 || (at.decl.kind === 'model' && !check.model)) return;
    // Messages that unparsed text could refute are not reported.
    for (const { doubt } of program.files.values()) if (doubt) return;
    const meaning = meaningOf(at, this.#reading);
    if (isSound(program, meaning)) this.#known.set(keyOf(at), { meaning, check });
  }
}

function placedAt(model: ModelGraph, { decl, file }: Found): ModelGraph {
  return decl.kind === 'model' ? { ...model, flat: { ...model.flat, decl, file } } : model;
}

/** Examples have the name of what they construct, so a file may have several of one name. */
function keyOf({ decl, file }: Found): string {
  const { start, end } = decl.span;
  return `${file.file} ${decl.kind} ${decl.kind === 'example' ? file.tree.text.slice(start, end) : decl.name.name}`;
}
