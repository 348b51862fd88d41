import { imageInput, load, maskOf, type CroBIM_microPixels as Pixels, textInputs } from './model/CroBIM_micro.js';

/** What is read of the manifest of a build. */
interface Manifest {
  readonly preprocessing: { readonly text: { readonly vocabulary: { readonly file: string } | null } };
  readonly files: readonly { readonly name: string }[];
}

/** Finds what a text describes in an image: 1 for each of its pixels, row by row, and 0 for the others. */
export type Segment = (image: Pixels, text: string) => Promise<Uint8Array>;

/** Opens the model in a folder, which `crobc build` has written. */
export async function openModel(folder: string): Promise<Segment> {
  const manifest: Manifest = JSON.parse(await (await read(`${folder}/CroBIM_micro.manifest.json`)).text());
  const words = manifest.preprocessing.text.vocabulary;
  if (words === null) throw new Error('the build has no vocabulary: build trained weights');
  const vocabulary = await (await read(`${folder}/${words.file}`)).text();
  // A browser does not look for the weights beside the graph.
  const names = manifest.files.map(({ name }) => name).filter((name) => name.endsWith('.onnx.data'));
  const externalData = await Promise.all(
    names.map(async (path) => ({
      path,
      data: new Uint8Array(await (await read(`${folder}/${path}`)).arrayBuffer()),
    })),
  );
  const model = await load(`${folder}/CroBIM_micro.onnx`, { externalData });
  return async (image, text) => {
    const { logits } = await model.run({ image: imageInput(image), ...textInputs(text, vocabulary) });
    return maskOf(logits, image);
  };
}

async function read(url: string): Promise<Response> {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`cannot read ${url}: ${answer.status}`);
  return answer;
}
