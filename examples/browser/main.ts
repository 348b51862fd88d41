import { openModel } from './segment.js';

function element<T extends HTMLElement>(selector: string, kind: new () => T): T {
  const found = document.querySelector(selector);
  if (!(found instanceof kind)) throw new Error(`the page has no ${selector}`);
  return found;
}

const form = element('form', HTMLFormElement);
const file = element('#image', HTMLInputElement);
const text = element('#text', HTMLInputElement);
const canvas = element('canvas', HTMLCanvasElement);
const status = element('output', HTMLOutputElement);

const opened = openModel('model');
form.addEventListener('submit', (event) => {
  event.preventDefault();
  status.value = 'working …';
  show().then(
    (line) => {
      status.value = line;
    },
    (error: unknown) => {
      status.value = String(error);
    },
  );
});

/** Draws the image with the mask over it, and returns what was found. */
async function show(): Promise<string> {
  const [chosen] = file.files ?? [];
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (chosen === undefined || context === null) return 'choose an image';
  // The colours of the file, as in training, not those of the screen.
  const bitmap = await createImageBitmap(chosen, { colorSpaceConversion: 'none' });
  [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
  context.drawImage(bitmap, 0, 0);
  const pixels = context.getImageData(0, 0, bitmap.width, bitmap.height);
  const segment = await opened;
  const started = performance.now();
  const mask = await segment(pixels, text.value);
  const took = Math.round(performance.now() - started);
  for (const [i, inside] of mask.entries()) {
    if (inside === 0) continue;
    for (const [channel, tint] of [255, 45, 85].entries())
      pixels.data[i * 4 + channel] = ((pixels.data[i * 4 + channel] ?? 0) + tint) / 2;
  }
  context.putImageData(pixels, 0, 0);
  const area = mask.reduce((sum, inside) => sum + inside, 0);
  return `${area} of ${mask.length} pixels, in ${took} ms`;
}
