import { join } from 'node:path';
import { fromSyntax } from '../../../compiler/diagnostics/from-syntax.ts';
import { renderTerminal } from '../../../compiler/diagnostics/render-terminal.ts';
import { format } from '../../../grammar/format.ts';
import { parse } from '../../../grammar/parse.ts';
import { readSource } from '../../../runtime/files/source-host.ts';
import { openSession, TINY_MODEL } from '../../../runtime/ort/session.ts';
import type { OpenReader, Reader } from '../reader.ts';

/** An ONNX model, as onnxruntime opens it. */
export const onnx: Reader = {
  async open(folder): Promise<OpenReader> {
    const path = join(folder, 'tiny.onnx');
    return {
      path,
      samples: [Buffer.from(TINY_MODEL, 'base64')],
      async read() {
        const session = await openSession(path, { device: 'cpu', threads: 1 });
        await session.release();
      },
    };
  },
};

const source = `/// A model.
model Tiny where H % 2 == 0 {
  down = Conv2d(3, 4, 3, stride = 2, padding = 1)
  input image: f32[B, 3, H, W]
  let small = relu(down(image)) // half
  output y: f32[B, 4, H / 2, W2] = small + 1.5
}
`;

/** A source, as `crobc fmt` reads it; its messages are put together too. */
export const sources: Reader = {
  async open(folder): Promise<OpenReader> {
    const path = join(folder, 'tiny.crob');
    return {
      path,
      samples: [Buffer.from(source)],
      async read(report) {
        const text = readSource(path);
        if (typeof text !== 'string') throw text;
        const { tree, faults } = parse(path, text);
        if (faults.length === 0) format(tree);
        else {
          renderTerminal(faults.map(fromSyntax), () => text, { color: false, width: 100 });
          report(`${path} has ${faults.length} faults`);
        }
      },
    };
  },
};
