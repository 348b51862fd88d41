// Edits of a checkout, collected in memory: either all are written or, if one is refused, none.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Node, Project } from 'ts-morph';

/** A request of the author that cannot be met; the message is one line. */
export class Refusal extends Error {}

export class Checkout {
  #root;
  #texts = new Map();
  #project = new Project({ useInMemoryFileSystem: true });

  constructor(root) {
    this.#root = root;
  }

  has(file) {
    return this.#texts.has(file) || existsSync(join(this.#root, file));
  }

  /** Returns the files of a folder. */
  list(folder) {
    return readdirSync(join(this.#root, folder));
  }

  text(file) {
    return this.#texts.get(file) ?? readFileSync(join(this.#root, file), 'utf8');
  }

  create(file, text) {
    if (this.has(file)) throw new Refusal(`${file} exists`);
    this.#texts.set(file, text);
  }

  append(file, text) {
    this.#texts.set(file, this.text(file) + text);
  }

  replace(file, pattern, by) {
    const text = this.text(file);
    if (!pattern.test(text)) throw new Error(`${file} has nothing like ${pattern}`);
    this.#texts.set(file, text.replace(pattern, by));
  }

  /** Returns the names of an object literal's properties, or of the members of an interface or class. */
  names(file, container) {
    return this.#members(file, container).flatMap((member) => member.getName?.() ?? []);
  }

  /** Inserts a member of an object literal, interface or class after the member `after`, by default at the end. */
  insert(file, container, line, after) {
    const members = this.#members(file, container);
    const previous = after === undefined ? members.at(-1) : members.find((member) => member.getName?.() === after);
    if (previous === undefined && after !== undefined) throw new Error(`${file}: ${container} has no ${after}`);
    const text = this.text(file);
    const comma = previous && /^,/.test(text.slice(previous.getEnd())) ? 1 : 0;
    const at = previous === undefined ? this.#container(file, container).getEnd() - 1 : previous.getEnd() + comma;
    const rest = text.slice(at);
    this.#texts.set(file, `${text.slice(0, at)}\n${line}${/^[ \t]*\n/.test(rest) ? '' : '\n'}${rest}`);
  }

  /** Writes and formats all edited files; returns their names. */
  write() {
    for (const [file, text] of this.#texts) {
      mkdirSync(dirname(join(this.#root, file)), { recursive: true });
      writeFileSync(join(this.#root, file), text);
    }
    const files = [...this.#texts.keys()];
    const typescript = files.filter((file) => file.endsWith('.ts'));
    const biome = join(this.#root, 'node_modules/.bin/biome');
    if (typescript.length > 0)
      execFileSync(biome, ['check', '--write', '--log-level=none', ...typescript], {
        cwd: this.#root,
        stdio: 'ignore',
      });
    return files.sort();
  }

  #source(file) {
    return this.#project.createSourceFile(file, this.text(file), { overwrite: true });
  }

  #container(file, name) {
    const source = this.#source(file);
    const type = source.getInterface(name) ?? source.getClass(name);
    if (type) return type;
    const initializer = source.getVariableDeclarationOrThrow(name).getInitializerOrThrow();
    const literal = Node.isObjectLiteralExpression(initializer)
      ? initializer
      : initializer.getFirstDescendantOrThrow(Node.isObjectLiteralExpression);
    return literal;
  }

  #members(file, name) {
    const container = this.#container(file, name);
    return Node.isObjectLiteralExpression(container) ? container.getProperties() : container.getMembers();
  }
}

/** Throws unless the name is like `a_name`, as operators and built-in functions are called. */
export function requireSnake(name) {
  if (!/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(name))
    throw new Refusal(`a name has small letters, digits and single underscores between them; \`${name}\` has others`);
}

export const camel = (name) => name.replace(/[_-](\w)/g, (_, letter) => letter.toUpperCase());
