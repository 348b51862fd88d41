// Drives a Chromium without a window by the DevTools protocol, over pipes.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Programs that are looked for, if CROBC_CHROMIUM names none. */
const programs = ['chromium', 'chromium-browser', 'google-chrome'];

/** Milliseconds until a page must have done what is waited for. */
const patience = 120_000;

/** Opens a page in a new browser. Throws if there is no browser. */
export async function openPage(url) {
  const profile = mkdtempSync(join(tmpdir(), 'crobc-chromium-'));
  const { child, send, onEvent } = await start(profile);
  const ended = new Promise((done) => child.once('close', done));
  const close = async () => {
    child.kill();
    await ended;
    rmSync(profile, { recursive: true, force: true });
  };
  try {
    const { targetId } = await send('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await send('Target.attachToTarget', { targetId, flatten: true });
    const call = (method, params) => send(method, params, sessionId);
    const errors = [];
    onEvent((method, params) => {
      if (method === 'Runtime.exceptionThrown')
        errors.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text);
      if (method === 'Network.responseReceived' && params.response.status >= 400)
        errors.push(`${params.response.status} ${params.response.url}`);
    });
    for (const domain of ['Runtime', 'DOM', 'Page', 'Network']) await call(`${domain}.enable`, {});
    await call('Page.navigate', { url });
    return page(call, errors, close);
  } catch (error) {
    await close();
    throw error;
  }
}

function page(call, errors, close) {
  const evaluate = async (expression) => {
    const { result, exceptionDetails } = await call('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  };
  return {
    /** What scripts of the page threw, and what it did not find. */
    errors,
    /** Returns the value of an expression, awaited. */
    evaluate,
    /** Waits until an expression is true. */
    async until(expression) {
      const end = performance.now() + patience;
      while (!(await evaluate(expression))) {
        if (performance.now() > end) throw new Error(`this never holds: ${expression}\n${errors.join('\n')}`);
        await new Promise((done) => setTimeout(done, 50));
      }
    },
    /** Chooses a file of this machine. */
    async choose(selector, path) {
      const { root } = await call('DOM.getDocument', {});
      const { nodeId } = await call('DOM.querySelector', { nodeId: root.nodeId, selector });
      await call('DOM.setFileInputFiles', { nodeId, files: [path] });
    },
    /** Returns a picture of the page as PNG. */
    async picture() {
      const { data } = await call('Page.captureScreenshot', { format: 'png', captureBeyondViewport: true });
      return Buffer.from(data, 'base64');
    },
    close,
  };
}

/** Starts the first browser that there is. */
async function start(profile) {
  const { CROBC_CHROMIUM: named } = process.env;
  for (const program of named ? [named] : programs) {
    const child = await spawned(program, profile);
    if (child) return { child, ...connection(child) };
  }
  throw new Error(`no Chromium here: install one (${programs.join(', ')}), or name it by CROBC_CHROMIUM`);
}

/** Returns the process; undefined if there is no such program. */
function spawned(program, profile) {
  const options = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run'];
  const child = spawn(program, [...options, '--remote-debugging-pipe', `--user-data-dir=${profile}`], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
  });
  return new Promise((resolve) => {
    child.once('spawn', () => resolve(child));
    child.once('error', () => resolve(undefined));
  });
}

/** The protocol: messages as JSON, each with a zero byte behind it. */
function connection(child) {
  const [, , , input, output] = child.stdio;
  const waiting = new Map();
  const listeners = [];
  let number = 0;
  let rest = '';
  output.setEncoding('utf8');
  output.on('data', (text) => {
    const messages = (rest + text).split('\0');
    rest = messages.pop();
    for (const message of messages) {
      const { id, method, params, result, error } = JSON.parse(message);
      if (id === undefined) for (const listener of listeners) listener(method, params);
      else if (error) waiting.get(id).reject(new Error(error.message));
      else waiting.get(id).resolve(result);
      waiting.delete(id);
    }
  });
  child.once('close', (code) => {
    for (const { reject } of waiting.values()) reject(new Error(`the browser has ended (${code})`));
  });
  return {
    send: (method, params, sessionId) =>
      new Promise((resolve, reject) => {
        waiting.set(++number, { resolve, reject });
        input.write(`${JSON.stringify({ id: number, method, params, sessionId })}\0`);
      }),
    onEvent: (listener) => listeners.push(listener),
  };
}
