import { execFile } from 'node:child_process';
import { isFlag, isObject, isText, listOf, objectOf, orNull, recordOf } from '../../files/json.ts';
import { parseJson } from '../../files/parse-json.ts';
import { shownValue } from '../../files/shown.ts';
import { UserError } from '../../files/user-error.ts';
import { surroundings } from '../../process/surroundings.ts';

/** What a Python says about itself. */
export interface PythonReport {
  /** `3.11.7` */
  readonly version: string;
  /** Versions of the packages that training needs; null for one that is not installed or does not load. */
  readonly packages: Readonly<Record<string, string | null>>;
  /** Why a package that is installed does not load. */
  readonly faults: Readonly<Record<string, string>>;
  /** Names of CUDA devices; empty without PyTorch, and where CUDA does not work. */
  readonly devices: readonly string[];
  /** Whether processes can train together. */
  readonly distributed: boolean;
}

/** A program that may be a Python, and what became of it. */
export interface PythonTry {
  /** As `--python` takes it. */
  readonly command: string;
  /** Who named it. */
  readonly from: '--python' | 'CROBC_PYTHON' | 'PATH';
  /** Undefined if it does not run, or is no Python. */
  readonly report: PythonReport | undefined;
  /** Why there is no report: one line. */
  readonly fault: string | undefined;
}

export interface FoundPython {
  readonly command: string;
  readonly report: PythonReport;
}

/** What training needs, by the names of imports, with the names of packages. */
export const pythonPackages: Readonly<Record<string, string>> = {
  torch: 'torch',
  numpy: 'numpy',
  safetensors: 'safetensors',
  PIL: 'pillow',
};

const PROBE = `
import importlib, json, platform, sys
report = {"version": platform.python_version(), "packages": {}, "faults": {}, "devices": [], "distributed": False}
for name in sys.argv[1:]:
    report["packages"][name] = None
    try:
        report["packages"][name] = str(importlib.import_module(name).__version__)
    except ModuleNotFoundError as error:
        if error.name != name:
            report["faults"][name] = str(error)
    except Exception as error:
        report["faults"][name] = (str(error) or type(error).__name__).splitlines()[0]
if report["packages"].get("torch"):
    import torch
    report["distributed"] = torch.distributed.is_available()
    if torch.cuda.is_available():
        report["devices"] = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
print("\\n>" + json.dumps(report))
`;

const isReport = objectOf({
  version: isText,
  packages: recordOf(orNull(isText)),
  faults: recordOf(isText),
  devices: listOf(isText),
  distributed: isFlag,
});

/** Long enough to load PyTorch from a slow disk, in milliseconds. */
const PATIENCE = 120_000;

/** Asks a program, in one process, whether it is a Python and what it has. */
function probe(command: string, from: PythonTry['from']): Promise<PythonTry> {
  const { environment } = surroundings();
  const args = ['-c', PROBE, ...Object.keys(pythonPackages)];
  return new Promise((resolve) => {
    execFile(command, args, { env: { ...environment }, timeout: PATIENCE }, (error, stdout, stderr) => {
      const report = reportIn(stdout);
      resolve({ command, from, report, fault: report ? undefined : faultOf(error, stderr) });
    });
  });
}

function reportIn(stdout: string): PythonReport | undefined {
  const text = /^>(.*)$/m.exec(stdout)?.[1];
  if (text === undefined) return undefined;
  try {
    const held = parseJson(text);
    return isObject(held) && isReport(held) ? held : undefined;
  } catch {
    return undefined;
  }
}

function faultOf(error: (Error & { readonly code?: unknown; readonly killed?: boolean }) | null, stderr: string) {
  if (error?.code === 'ENOENT') return 'there is no such program';
  if (error?.code === 'EACCES') return 'it is not a program';
  if (error?.killed === true) return 'no answer within two minutes';
  const last = stderr.trim().split('\n').at(-1);
  return last ? shownValue(last) : 'it is no Python';
}

/**
 * Asks the programs that may be the Python to train with, in the order in which they are tried: `--python` alone, else
 * `CROBC_PYTHON` alone, else those on the PATH.
 */
export async function tryPythons(asked: string | undefined): Promise<readonly PythonTry[]> {
  const { CROBC_PYTHON } = surroundings().environment;
  if (asked !== undefined) return [await probe(asked, '--python')];
  if (CROBC_PYTHON) return [await probe(CROBC_PYTHON, 'CROBC_PYTHON')];
  const tries: PythonTry[] = [];
  for (const command of ['python3', 'python']) {
    const tried = await probe(command, 'PATH');
    tries.push(tried);
    if (tried.report && lacking(tried.report).length === 0) break;
  }
  return tries;
}

/** Returns the packages that training needs and a Python does not have, by the names under which they are installed. */
export function lacking({ packages }: PythonReport): readonly string[] {
  return Object.entries(pythonPackages).flatMap(([name, installed]) => (packages[name] ? [] : [installed]));
}

/** Returns the Python to train with. Throws a UserError of one line if there is none with PyTorch. */
export async function findPython(asked: string | undefined): Promise<FoundPython> {
  const tries = await tryPythons(asked);
  for (const { command, report } of tries) if (report && lacking(report).length === 0) return { command, report };
  throw new UserError(`no Python to train with: ${tries.map(whyNot).join('; ')}. ${adviceFor(tries)}`);
}

/** Says why a Python is not the one to train with. */
export function whyNot({ command, from, report, fault }: PythonTry): string {
  const name = from === 'CROBC_PYTHON' ? `${command} (CROBC_PYTHON)` : command;
  if (!report) return `${name}: ${fault}`;
  const broken = Object.entries(report.faults).map(([one, why]) => `${one} does not load (${why})`);
  const absent = lacking(report).filter(
    (one) => !Object.keys(report.faults).some((name) => pythonPackages[name] === one),
  );
  const faults = [...(absent.length > 0 ? [`it has no ${absent.join(', ')}`] : []), ...broken];
  return `${name}, Python ${report.version}: ${faults.join('; ')}`;
}

/** What to do where no Python can train. */
export function adviceFor(tries: readonly PythonTry[]): string {
  const installing = tries.find(({ report }) => report);
  const another = 'name another Python with --python or CROBC_PYTHON';
  if (!installing?.report) return `Install Python 3.10 or later with PyTorch, or ${another}`;
  return `"${installing.command} -m pip install ${lacking(installing.report).join(' ')}" installs what is missing, or ${another}`;
}
