import { libraryMaps } from '../../compiler/elaborate/weights/library-maps.ts';
import { byteSize } from '../../runtime/files/byte-size.ts';
import { cut } from '../../runtime/files/shown.ts';
import { diskHost, ownWeights } from '../../runtime/files/source-host.ts';
import { terminalWidth } from '../../runtime/process/terminal.ts';
import { bytesPerElement } from '../../runtime/tensors/tensor-dtype.ts';
import { type Layout, layoutsOf } from '../../runtime/weights/layouts.ts';
import { openTensorFile } from '../../runtime/weights/open-tensors.ts';
import type { FileTensor } from '../../runtime/weights/tensor-file.ts';
import { openRecord, recordKey, type TrainedRecord } from '../../runtime/weights/trained-record.ts';
import type { Io } from '../io.ts';
import { plural } from '../messages.ts';
import { printJson, printLine, printText } from '../print.ts';
import { labelled, table } from '../table.ts';

/** `crobc weights inspect` */
export async function inspect(io: Io, given: string, { json }: { readonly json?: boolean }): Promise<number> {
  const path = ownWeights(given);
  const file = await openTensorFile(path);
  await file.close();
  const tensors = [...file.tensors.values()];
  const layouts = layoutsOf(file.tensors, libraryMaps(diskHost()));
  // The record contains whole sources and a vocabulary.
  const beside = file.remarks.filter(({ name }) => name !== recordKey);
  const record = beside.length < file.remarks.length ? await openRecord(path) : undefined;
  if (json) {
    const trained = record ? summaryOf(record) : null;
    printJson(io, { file: given, format: file.format, tensors, beside, trained, layouts });
    return 0;
  }
  const elements = tensors.reduce((sum, { shape }) => sum + count(shape), 0);
  const bytes = tensors.reduce((sum, tensor) => sum + bytesOf(tensor), 0);
  const [number, size] = [elements.toLocaleString('en'), byteSize(bytes)];
  printLine(io, `${given}: ${file.format}, ${plural(tensors.length, 'tensor')}, ${number} elements, ${size}`);
  const width = terminalWidth(io.stdout);
  printText(
    io,
    `\n${table(
      ['tensor', 'dtype', 'shape'],
      tensors.map(({ name, dtype, shape }) => [name, dtype, `[${shape.join(', ')}]`]),
      ['left', 'left', 'left'],
      width,
    )}\n`,
  );
  if (beside.length > 0) {
    printText(
      io,
      `\nbeside the tensors:\n${labelled(
        beside.map(({ name, text }) => [name, cut(text, longestRemark)]),
        width,
      )}\n`,
    );
  }
  printText(io, '\n');
  if (record) {
    const { model, recipe, image, text } = summaryOf(record);
    const words = text ? `, ${plural(text.words, 'word')} of ${text.vocabulary}` : '';
    printLine(
      io,
      `trained by crobc: ${model} by the recipe ${recipe}, images of ${image.width}×${image.height}${words}`,
    );
  } else if (layouts.length === 0) printLine(io, 'no weights map of the library knows these names');
  for (const layout of layouts) printLine(io, sentence(layout));
  return 0;
}

/** Maximum length of a remark: metadata may be anything. */
const longestRemark = 400;

/** What a training recorded, without the texts of sources and vocabulary. */
function summaryOf({ model, image, text, threshold, training }: TrainedRecord) {
  const vocabulary = text && { words: text.words, vocabulary: text.vocabulary.name, sha256: text.vocabulary.sha256 };
  return { model: model.name, recipe: String(training.recipe.recipe), image, text: vocabulary, threshold };
}

function sentence({ map, target, file, mapped, skipped, strange }: Layout): string {
  const rest = [...(skipped > 0 ? [`skips ${skipped}`] : []), ...(strange > 0 ? [`does not mention ${strange}`] : [])];
  const others = rest.length > 0 ? `; it ${rest.join(' and ')}` : '';
  return `names of ${map} (${file}, for ${target}): it takes ${plural(mapped, 'tensor')}${others}`;
}

function count(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}

function bytesOf({ dtype, shape }: FileTensor): number {
  return count(shape) * bytesPerElement(dtype);
}
