import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, normalize, relative, resolve } from 'node:path';
import ts from 'typescript';
import { check } from '../../compiler/check/check.ts';
import type { SourceHost } from '../../compiler/compile.ts';
import { isError } from '../../compiler/diagnostics/diagnostic.ts';
import { renderTerminal } from '../../compiler/diagnostics/render-terminal.ts';
import { diskHost, isShipped } from '../../runtime/files/source-host.ts';
import { crobcShown, main } from '../cli/crobc.ts';
import { strictTypeScript } from '../strict-typescript.ts';
import { fixtures } from './fixtures.ts';
import { type Block, joined, type Part, parts } from './markdown.ts';
import { shows } from './transcript.ts';

/**
 * Runs every code block of a page, in order, in one folder that is empty before the first.
 *
 * | block | what happens |
 * |---|---|
 * | ` ```crob [name] ` | written to the folder, and must check without errors |
 * | ` ```crob wrong [name] ` | must have errors; the `text` block behind it is what is printed |
 * | ` ```crob noted [name] ` | the same with notes or warnings, and no error |
 * | ` ```sh [fails] ` | each line that starts with crobc runs; the `text` block behind it is what they print |
 * | | a file of `fixtures.ts` that a line names is put into the folder |
 * | ` ```sh brief ` | the same, with two steps of training, twenty small scenes, four samples of an evaluation |
 * | ` ```ts [name] ` | compiled under strict rules when all the rest is done |
 * | ` ```python name ` | is in the file of this name, which a command has written |
 * | ` ```json `, ` ```diff `, ` ```text ` | json must parse; the others are only shown |
 *
 * Gives the page as it should be: where a `text` block does not show what was printed, with what was.
 */
export class PageRun {
  readonly #folder = mkdtempSync(join(tmpdir(), 'crobc-docs-'));
  readonly #page: string;
  readonly #files = new Map<string, string>();
  readonly #programs: string[] = [];
  readonly faults: string[] = [];

  constructor(page: string) {
    this.#page = page;
    symlinkSync(resolve('node_modules'), join(this.#folder, 'node_modules'));
    writeFileSync(join(this.#folder, 'package.json'), '{ "type": "module" }\n');
  }

  async run(): Promise<string> {
    const all = parts(this.#page);
    const result: Part[] = [];
    for (const [i, part] of all.entries()) {
      if (part.kind === 'prose') {
        result.push(part);
        continue;
      }
      const before = all[i - 2];
      const gap = all[i - 1];
      const follows =
        part.block.language === 'text' && before?.kind === 'block' && gap?.kind === 'prose' && gap.text.trim() === '';
      const printed = follows ? this.#printed : undefined;
      this.#printed = undefined;
      if (printed === undefined) {
        await this.#block(part.block);
        result.push(part);
      } else {
        const text = shows(part.block.text, printed) ? part.block.text : printed.trimEnd();
        result.push({ kind: 'block', block: { ...part.block, text } });
      }
    }
    this.#compile();
    return joined(result);
  }

  /** What the block in front printed, for the `text` block behind it. */
  #printed: string | undefined;

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #block(block: Block): Promise<void> {
    switch (block.language) {
      case 'crob':
        this.#crob(block);
        break;
      case 'sh':
        await this.#shell(block);
        break;
      case 'ts':
        this.#programs.push(this.#write(block, `block-${block.line}.ts`));
        break;
      case 'json':
        JSON.parse(block.text);
        break;
      case 'text':
      case 'diff':
        break;
      case 'python':
        this.#written(block);
        break;
      // test/cli/ci.test.ts runs these, from the page.
      case 'yaml':
      case 'bash':
        break;
      default:
        this.#fault(block, `nothing tests a block of ${block.language}`);
    }
  }

  #fault({ line }: Block, text: string): void {
    this.faults.push(`line ${line}: ${text}`);
  }

  #write(block: Block, otherwise: string): string {
    const name = block.words.find((word) => word.includes('.')) ?? otherwise;
    const path = join(this.#folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `${block.text}\n`);
    this.#files.set(normalize(name), `${block.text}\n`);
    return name;
  }

  /** A block of a file that a command has written. */
  #written(block: Block): void {
    const path = join(this.#folder, block.words.find((word) => word.endsWith('.py')) ?? '');
    if (!path.endsWith('.py') || !existsSync(path)) this.#fault(block, 'no command has written this file');
    else if (!readFileSync(path, 'utf8').includes(block.text.trim())) this.#fault(block, `${path} does not have this`);
  }

  #crob(block: Block): void {
    const name = this.#write(block, `block-${block.line}.crob`);
    const result = check(this.#host(), [name]);
    const text = renderTerminal(result.diagnostics, (file) => result.program.files.get(file)?.tree.text, {
      color: false,
      width: 100,
    });
    const says = (kind: string) => block.words.includes(kind);
    const isWrong = result.diagnostics.some(isError);
    if (says('wrong') && result.diagnostics.length === 0) this.#fault(block, 'this has no error');
    if (says('noted') && result.diagnostics.length === 0) this.#fault(block, 'this has no note');
    if (!says('wrong') && (says('noted') ? isWrong : result.diagnostics.length > 0))
      this.#fault(block, `this has errors:\n${text}`);
    if (says('wrong') || says('noted')) this.#printed = text;
  }

  /** The page's files by their names on the page; what ships with crobc as always. */
  #host(): SourceHost {
    const disk = diskHost();
    return {
      ...disk,
      resolve: (from, path) => {
        const found = disk.resolve(isShipped(from) ? from : join(this.#folder, from), path);
        return isShipped(found) ? found : relative(this.#folder, found);
      },
      read: (path) => {
        if (isShipped(path)) return disk.read(path);
        return this.#files.get(normalize(path)) ?? disk.read(join(this.#folder, path));
      },
    };
  }

  async #shell(block: Block): Promise<void> {
    let printed = '';
    let failed = false;
    for (const line of block.text.split('\n')) {
      const command = line.trim();
      if (command.startsWith('npm ') || command.startsWith('git ') || command.startsWith('cd ')) {
        this.#npm(block, command);
        continue;
      }
      if (!/^(npx )?crobc /.test(command)) {
        this.#fault(block, `nothing runs \`${command}\``);
        continue;
      }
      this.#writeFixtures(command);
      const shortened = block.words.includes('brief') ? brief(command) : command;
      const { code, all } = await this.#crobc(shortened.replace(/^(npx )?crobc /, ''));
      printed += all;
      if (code !== 0) failed = true;
      if (code !== 0 && !block.words.includes('fails')) {
        this.#fault(block, `\`${command}\` ends with ${code}:\n${printed}`);
      }
    }
    if (block.words.includes('fails') && !failed) this.#fault(block, 'nothing fails here');
    this.#printed = printed;
  }

  /** Writes the files of others that a line names. */
  #writeFixtures(command: string): void {
    for (const [name, bytes] of Object.entries(fixtures)) {
      const path = join(this.#folder, name);
      if (command.includes(name) && !existsSync(path)) writeFileSync(path, bytes());
    }
  }

  /** In this process, where a line has no more of a shell's language than quotes. */
  async #crobc(line: string): Promise<{ readonly code: number; readonly all: string }> {
    const words = wordsOf(line);
    if (words) return crobcShown(words, { cwd: this.#folder });
    const { NO_COLOR: _, FORCE_COLOR: __, ...inherited } = process.env;
    const { status, stdout, stderr } = spawnSync('/bin/sh', ['-c', `"${process.execPath}" "${main}" ${line}`], {
      cwd: this.#folder,
      env: { ...inherited, CROBC_PROGRESS: 'off' },
      encoding: 'utf8',
    });
    return { code: status ?? -1, all: stderr + stdout };
  }

  /** What is set up is not set up again here; but the scripts that are named must be there. */
  #npm(block: Block, command: string): void {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
    for (const [, name] of command.matchAll(/npm run (\S+)/g)) {
      if (scripts[name!] === undefined) this.#fault(block, `package.json has no script ${name}`);
    }
  }

  #compile(): void {
    if (this.#programs.length === 0) return;
    const names = this.#programs.map((name) => join(this.#folder, name));
    const program = ts.createProgram(names, {
      ...strictTypeScript,
      noEmit: true,
    });
    for (const { file, messageText } of ts.getPreEmitDiagnostics(program)) {
      this.faults.push(
        `${file?.fileName.replace(this.#folder, '') ?? 'ts'}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
      );
    }
  }
}

/** The words of a line of a shell; undefined where it has a pipe, a pattern, a variable. */
export function wordsOf(line: string): readonly string[] | undefined {
  const words = [...line.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)].map(([word]) => word);
  const bare = line.replace(/'[^']*'/g, '').replace(/"[^"$`\\]*"/g, '');
  if (/[|&;<>()$`\\*?~#"']/.test(bare)) return undefined;
  return words.map((word) => word.replace(/'([^']*)'|"([^"]*)"/g, '$1$2'));
}

/** What a page says at its full length, at the least that shows that it works. */
function brief(command: string): string {
  const [, verb] = /^(?:npx )?crobc (train|eval(?! --compare)|data synth) /.exec(command) ?? [];
  const least: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    train: { '--steps': '2' },
    eval: { '--limit': '4', '--pictures': '1' },
    'data synth': { '--scenes': '20', '--size': '64' },
  };
  return Object.entries((verb === undefined ? undefined : least[verb]) ?? {}).reduce(
    (words, [option, value]) => `${words.replace(new RegExp(` ${option} \\S+`), '')} ${option} ${value}`,
    command,
  );
}
