import { quoted } from '../files/shown.ts';
import { jsonOf } from './kserve.ts';
import type { MaskForm } from './picture.ts';
import { RequestFault } from './request-fault.ts';
import type { PictureQuestion } from './service.ts';

/** What `POST /predict` was sent; the form of the answer is decided by the header Accept. */
export interface PredictBody {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly text: string | undefined;
  readonly overlay: boolean;
}

function bad(message: string, status = 400): RequestFault {
  return new RequestFault(status, message);
}

const members = ['image', 'text', 'overlay'];

/** Reads a form (multipart/form-data) or JSON with the image in base64. Throws a RequestFault. */
export async function readPredictBody(body: Uint8Array<ArrayBuffer>, contentType: string): Promise<PredictBody> {
  const [kind = ''] = contentType.split(';');
  switch (kind.trim().toLowerCase()) {
    case 'multipart/form-data':
      return fromForm(await formOf(body, contentType));
    case 'application/json':
      return fromJson(jsonOf(body));
    default:
      throw bad('the body is neither multipart/form-data nor application/json', 415);
  }
}

async function formOf(body: Uint8Array<ArrayBuffer>, contentType: string): Promise<FormData> {
  try {
    return await new Response(body, { headers: { 'content-type': contentType } }).formData();
  } catch {
    throw bad('the body is not a form as its Content-Type says');
  }
}

async function fromForm(form: FormData): Promise<PredictBody> {
  for (const name of form.keys()) {
    refuseOther(name);
    if (form.getAll(name).length > 1) throw bad(`"${name}" is there twice`);
  }
  const [image, text, overlay] = [form.get('image'), form.get('text'), form.get('overlay')];
  if (image === null) throw bad('"image" is missing: a file in the form');
  if (typeof image === 'string') throw bad('"image" is a text: send it as a file, as curl does with -F image=@FILE');
  if (text !== null && typeof text !== 'string') throw bad('"text" is a file');
  if (overlay !== null && overlay !== 'true' && overlay !== 'false') throw bad('"overlay" is neither true nor false');
  return {
    bytes: new Uint8Array(await image.arrayBuffer()),
    text: text ?? undefined,
    overlay: overlay === 'true',
  };
}

function fromJson(json: Record<string, unknown>): PredictBody {
  for (const name of Object.keys(json)) refuseOther(name);
  const { image, text, overlay = false } = json;
  if (typeof image !== 'string') throw bad('"image" is missing: the file in base64');
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(image) || image.length % 4 !== 0) throw bad('"image" is not base64');
  if (text !== undefined && typeof text !== 'string') throw bad('"text" is not a text');
  if (typeof overlay !== 'boolean') throw bad('"overlay" is neither true nor false');
  return { bytes: Uint8Array.from(Buffer.from(image, 'base64')), text, overlay };
}

function refuseOther(name: string): void {
  if (!members.includes(name)) throw bad(`${quoted(name)} is none of ${members.map((one) => `"${one}"`).join(', ')}`);
}

const mediaTypes = {
  'application/json': 'json',
  'image/png': 'png',
  'application/geo+json': 'geojson',
} as const satisfies Readonly<Record<string, MaskForm>>;

/** The media type of each form. */
export const typeOf: Readonly<Record<MaskForm, string>> = {
  json: 'application/json',
  png: 'image/png',
  overlay: 'image/png',
  geojson: 'application/geo+json',
};

/** Combines what was sent with what is accepted. Throws a RequestFault if nothing fits. */
export function questionOf({ bytes, text, overlay }: PredictBody, accept: string | undefined): PictureQuestion {
  const form = acceptedForm(accept);
  if (!overlay) return { bytes, text, form };
  if (form === 'png' || accept === undefined || accept.includes('*/*')) return { bytes, text, form: 'overlay' };
  throw bad('an overlay is a picture: accept image/png', 406);
}

/** The form that the header Accept prefers; JSON where it does not say. Throws a RequestFault if it names no other. */
export function acceptedForm(accept = '*/*'): MaskForm {
  const ranges = accept.split(',').map((part, i) => {
    const [type = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
    const q = parameters.find((one) => one.startsWith('q='));
    return { type, quality: q === undefined ? 1 : Number(q.slice(2)), i };
  });
  ranges.sort((a, b) => b.quality - a.quality || a.i - b.i);
  for (const { type, quality } of ranges) {
    if (!(quality > 0)) continue;
    for (const [media, form] of Object.entries(mediaTypes))
      if (type === media || type === '*/*' || type === `${media.split('/')[0]}/*`) return form;
  }
  throw bad(`there are answers as ${Object.keys(mediaTypes).join(', ')}`, 406);
}
