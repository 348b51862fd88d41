import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compile } from '../../../compiler/compile.ts';
import { graphHash } from '../../../compiler/ir/hash.ts';
import { recordModel } from '../../../runtime/build/recorded-source.ts';
import { openTrainedModel } from '../../../runtime/predict/trained-model.ts';
import { openTokenizer } from '../../../runtime/text/tokenizer.ts';
import { writeSafetensors } from '../../../runtime/weights/safetensors.ts';
import { recordKey, recordMetadata, type TrainedRecord } from '../../../runtime/weights/trained-record.ts';
import { memoryHost } from '../../memory-host.ts';
import type { JsonPart, OpenReader, Reader } from '../reader.ts';

const source = `
model Net {
  scale = Linear(3, 1)
  input image: f32[B, 3, H, W]
  output logits: f32[B, 1, H, W] = rearrange(scale(rearrange(image, "b c h w -> b h w c")), "b h w c -> b c h w")
}
`;

function recorded(): TrainedRecord['model'] {
  const overrides = ['scale.bias=false'];
  const dims = new Map([
    ['H', 32],
    ['W', 32],
  ]);
  const compiled = compile(memoryHost({ 'net.crob': source }), 'net.crob', { model: 'Net', dims, overrides });
  const { program, graph } = compiled;
  const found =
    graph && recordModel({ program, file: 'net.crob', model: 'Net', graph: graphHash(graph), dims, overrides });
  if (!found) throw new Error('the model cannot be recorded');
  return found;
}

const vocabulary = '[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\nship\n##s\n';

const record: TrainedRecord = {
  crobc: '0.1.0',
  model: recorded(),
  image: { height: 32, width: 32, mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] },
  text: {
    words: 8,
    vocabulary: {
      name: 'vocab.txt',
      sha256: createHash('sha256').update(vocabulary).digest('hex'),
      text: vocabulary,
      truncation: 'plain',
    },
  },
  threshold: 0.5,
  training: { recipe: { lr: 0.01, inits: [] }, seed: 1, data: 'a none' },
};

const headerEnd = (bytes: Buffer) => 8 + Number(bytes.readBigUInt64LE());

/** The record is JSON in a text of the header, which is JSON too. */
const json: JsonPart = {
  text: (bytes) => JSON.parse(bytes.toString('utf8', 8, headerEnd(bytes))).__metadata__[recordKey],
  replaced(bytes, text) {
    const end = headerEnd(bytes);
    const header = JSON.parse(bytes.toString('utf8', 8, end));
    header.__metadata__[recordKey] = text;
    const changed = Buffer.from(JSON.stringify(header));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(changed.length));
    return Buffer.concat([length, changed, bytes.subarray(end)]);
  },
};

/** Trained weights, which record their model: its sources are compiled, and its vocabulary is used. */
export const trained: Reader = {
  // The compiler leaves more garbage than readers of files do.
  memory: 800e6,
  async open(folder): Promise<OpenReader> {
    const path = join(folder, 'trained.safetensors');
    const weights = [
      { name: 'scale.weight', dtype: 'F32' as const, shape: [1, 3], data: () => Float32Array.of(1, 2, 3) },
    ];
    const samples: Buffer[] = [];
    for (const one of [record, { ...record, text: null }]) {
      await writeSafetensors(path, weights, recordMetadata(one));
      samples.push(readFileSync(path));
    }
    return {
      path,
      samples,
      json,
      // The vocabulary is named by its own name in the record, and by that of the weights.
      async read() {
        const { record: found, weightsFile } = await openTrainedModel(path);
        if (found.text === null) return;
        const tokenizer = await openTokenizer({ ...found.text.vocabulary, within: weightsFile });
        if (found.text.words >= 3) tokenizer.encode('the ships', Math.min(found.text.words, 1000));
      },
    };
  },
};
