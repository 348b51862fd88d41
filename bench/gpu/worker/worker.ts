// crobc's side of the measurements on another machine: `node worker.mjs JOB`, where JOB is a file of a Job. It prints a
// line that begins with @@ and goes on as JSON for each event of a case, one after the other: { begin: id }; { ready: id } when
// all that can be done while others measure is done, whereupon it waits for a line; { result: id, ... } or { failed: id, why }.
// `node worker.mjs --forms` prints the names of all forms.
// After a failure on CUDA it ends, as all further calls of the driver may fail in this process. It is started again for what is left.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { engineFor, Refused, releaseEngine } from './engines.ts';
import { form, formsFile } from './form-case.ts';
import { infer, inferExported } from './inference.ts';
import type { Case, Job } from './job.ts';
import { prepare, prepareTraining } from './prepare.ts';
import { profile } from './profile.ts';
import { stepFile, train } from './training.ts';

if (process.argv[2] === '--forms') {
  process.stdout.write(`${JSON.stringify(formsFile())}\n`);
  process.exit(0);
}

const job: Job = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'));
const say = (event: Readonly<Record<string, unknown>>) => process.stdout.write(`@@${JSON.stringify(event)}\n`);
const input = createInterface({ input: process.stdin });
const lines = input[Symbol.asyncIterator]();

async function measured(one: Case) {
  const ready = async () => {
    say({ ready: one.id });
    if ((await lines.next()).done) throw new Error('the script has ended');
  };
  switch (one.kind) {
    case 'probe':
      return probe();
    case 'prepare':
      return prepare(one, job);
    case 'prepare-training':
      return prepareTraining(one, job);
    case 'infer':
      return infer(one, job, ready);
    case 'exported':
      return inferExported(one, job, ready);
    case 'train':
      return train(one, job, ready);
    case 'step-file':
      return stepFile(one, job);
    case 'profile':
      return profile(one, job, ready);
    case 'form':
      return form(one, job, ready);
  }
}

async function probe() {
  const start = performance.now();
  await engineFor(job.device, { precision: 'tf32', graph: false });
  return { seconds: (performance.now() - start) / 1000 };
}

for (const one of job.cases) {
  say({ begin: one.id });
  try {
    say({ result: one.id, ...(await measured(one)) });
  } catch (error) {
    const [why = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    say({ failed: one.id, why });
    // At once, as what is open on a device that fails may not be released.
    if (job.device === 'cuda' && !(error instanceof Refused)) process.kill(process.pid, 'SIGKILL');
  }
}
input.close();
await releaseEngine();
