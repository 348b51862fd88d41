import type { BuildRecord } from '../build/build-record.ts';

/** The page at `/`: a file, a phrase, and the overlay that `POST /predict` draws. */
export function page({ model, docs }: BuildRecord, words: boolean): string {
  const [name, about] = [model, docs].map(escaped);
  const field = words
    ? '<label>What to find <input name="text" required maxlength="4096" placeholder="the white ship on the left"></label>'
    : '';
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${name}</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
  form { display: flex; flex-wrap: wrap; gap: 1rem; align-items: end; }
  label { display: flex; flex-direction: column; font-size: 0.875rem; }
  input, button { font: inherit; padding: 0.375rem 0.5rem; }
  input[name='text'] { min-width: 22rem; }
  img { min-width: min(24rem, 100%); max-width: 100%; margin-top: 1rem; display: block; }
  img[hidden] { display: none; }
  output { display: block; margin-top: 1rem; min-height: 1.5em; }
  .error { color: #b00020; }
</style>
<h1>${name}</h1>
<p>${about}</p>
<form>
  <label>Image <input type="file" name="image" accept="image/png,image/jpeg,image/webp,image/tiff" required></label>
  ${field}
  <button>Find</button>
</form>
<output></output>
<img alt="" hidden>
<script>
  const form = document.querySelector('form');
  const output = document.querySelector('output');
  const picture = document.querySelector('img');
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const button = form.querySelector('button');
    button.disabled = true;
    output.className = '';
    output.textContent = 'predicting …';
    const body = new FormData(form);
    body.set('overlay', 'true');
    try {
      const response = await fetch('predict', { method: 'POST', body, headers: { accept: 'image/png' } });
      if (!response.ok) throw new Error((await response.json()).error);
      const { area, fraction, score } = JSON.parse(response.headers.get('x-crobc-prediction'));
      URL.revokeObjectURL(picture.src);
      picture.src = URL.createObjectURL(await response.blob());
      picture.alt = 'The image with the mask over it';
      picture.hidden = false;
      output.textContent = area === 0
        ? 'Nothing was found.'
        : area.toLocaleString() + ' pixels (' + (100 * fraction).toFixed(1) + ' %), mean probability ' + score.toFixed(3);
    } catch (error) {
      output.className = 'error';
      output.textContent = error.message;
    } finally {
      button.disabled = false;
    }
  });
</script>
</html>
`;
}

function escaped(text: string): string {
  const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(/[&<>"]/g, (c) => entities[c] ?? c);
}
