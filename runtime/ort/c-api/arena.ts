import { type Context, pointerFrom } from './context.ts';
import { Handle } from './handle.ts';
import { ArrayTensor, VALUE } from './tensor.ts';

/**
 * Gives the memory of a device back that no tensor uses: allocators keep it for further tensors until their session is
 * released. onnxruntime shrinks its arenas at the end of a run that asks for it (run option
 * memory.enable_memory_arena_shrinkage). Does nothing for a device that computes in the memory of this process.
 */
export function shrinkArena(context: Context): void {
  if (context.inHostMemory) return;
  const { native, memory, hostMemory } = context;
  const owned = (kind: string, by: 'ReleaseRunOptions' | 'ReleaseIoBinding', pointer: bigint) =>
    new Handle(native, { kind, by, owner: memory }, pointer);
  const options = owned(
    'run options',
    'ReleaseRunOptions',
    pointerFrom((out) => native.call('CreateRunOptions', out)),
  );
  const binding = owned(
    'a binding',
    'ReleaseIoBinding',
    pointerFrom((out) => native.call('CreateIoBinding', memory.pointer, out)),
  );
  const x = new ArrayTensor(context, { dtype: 'f32', shape: [1], data: new Float32Array(1) });
  try {
    native.call('AddRunConfigEntry', options.pointer, 'memory.enable_memory_arena_shrinkage', 'gpu:0');
    native.call('BindInput', binding.pointer, 'x', x[VALUE]());
    native.call('BindOutputToDevice', binding.pointer, 'y', hostMemory.pointer);
    native.call('RunWithBinding', memory.pointer, options.pointer, binding.pointer);
  } finally {
    x.release();
    binding.release();
    options.release();
  }
}
