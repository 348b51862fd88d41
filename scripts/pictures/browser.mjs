// Takes screenshots of HTML pages in a browser.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const browsers = ['chromium', 'chromium-browser', 'google-chrome', 'chrome'];

/** Returns a headless browser: the one that CHROMIUM names, or one on the path; undefined if there is none. */
export function findBrowser() {
  const wanted = process.env.CHROMIUM === undefined ? browsers : [process.env.CHROMIUM];
  return wanted.find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0);
}

/** Writes the top of a page as PNG. */
export function screenshot(browser, page, { width, height }, file) {
  const profile = mkdtempSync(join(tmpdir(), 'crobc-browser-'));
  const args = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--hide-scrollbars',
    '--force-device-scale-factor=1',
    '--force-color-profile=srgb',
    '--font-render-hinting=none',
    `--user-data-dir=${profile}`,
    `--window-size=${width},${height}`,
    `--screenshot=${file}`,
    pathToFileURL(page).href,
  ];
  try {
    const { status, stderr } = spawnSync(browser, args, { encoding: 'utf8', timeout: 120_000 });
    if (status !== 0) throw new Error(`${browser} ended with ${status}: ${stderr}`);
  } finally {
    rmSync(profile, { recursive: true, force: true });
  }
}
