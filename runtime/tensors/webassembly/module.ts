import { type Code, type Local, type Type, types, unsigned } from './instructions.ts';

/** A function without a result: parameters and variables by name, and its body in terms of them. */
export interface FunctionCode {
  readonly name: string;
  readonly type: Code;
  readonly body: Code;
}

type Locals = Readonly<Record<string, Type>>;

/** Declares a function. `body` gets each parameter and each variable as a local. */
export function defineFunction<const P extends Locals, const V extends Locals>(
  name: string,
  parameters: P,
  variables: V,
  body: (locals: Readonly<Record<keyof P | keyof V, Local>>) => readonly Code[],
): FunctionCode {
  const names = [...Object.keys(parameters), ...Object.keys(variables)];
  const locals = Object.fromEntries(names.map((local, i) => [local, i as Local]));
  const taken = Object.values(parameters).map((type) => types[type]);
  const groups = Object.values(variables).map((type) => [1, types[type]]);
  const end = 0x0b;
  const code = [...vectorOf(groups), ...body(locals as Readonly<Record<keyof P | keyof V, Local>>).flat(), end];
  return { name, type: [0x60, ...vectorOf(taken.map((type) => [type])), ...vectorOf([])], body: code };
}

/** The bytes of a module that exports its functions, and one memory of at first one page as `memory`. */
export function moduleBytes(functions: readonly FunctionCode[]): Uint8Array<ArrayBuffer> {
  const text = (name: string): Code => vectorOf([...Buffer.from(name)].map((byte) => [byte]));
  const section = (id: number, content: Code): Code => [id, ...unsigned(content.length), ...content];
  const sized = (code: Code): Code => [...unsigned(code.length), ...code];
  const [memory, aFunction, aMemory] = [0, 0, 2];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, vectorOf(functions.map(({ type }) => type))),
    ...section(3, vectorOf(functions.map((_, i) => unsigned(i)))),
    ...section(5, vectorOf([[0x00, 1]])),
    ...section(
      7,
      vectorOf([
        [...text('memory'), aMemory, memory],
        ...functions.map(({ name }, i) => [...text(name), aFunction, ...unsigned(i)]),
      ]),
    ),
    ...section(10, vectorOf(functions.map(({ body }) => sized(body)))),
  ]);
}

function vectorOf(items: readonly Code[]): Code {
  return [...unsigned(items.length), ...items.flat()];
}
