/**
 * Functions of onnxruntime's C API that crobc calls: their position in `OrtApi`, which only ever grows at its end, and
 * their parameters (onnxruntime_c_api.h). `pointer` also covers what a function returns through a parameter.
 */
export const calls = {
  GetErrorCode: { index: 1, takes: ['pointer'], gives: 'int' },
  GetErrorMessage: { index: 2, takes: ['pointer'], gives: 'text' },
  CreateEnv: { index: 3, takes: ['int', 'text', 'pointer'], gives: 'status' },
  CreateSession: { index: 7, takes: ['pointer', 'path', 'pointer', 'pointer'], gives: 'status' },
  CreateSessionFromArray: { index: 8, takes: ['pointer', 'pointer', 'size', 'pointer', 'pointer'], gives: 'status' },
  CreateSessionOptions: { index: 10, takes: ['pointer'], gives: 'status' },
  DisableMemPattern: { index: 17, takes: ['pointer'], gives: 'status' },
  SetSessionLogSeverityLevel: { index: 22, takes: ['pointer', 'int'], gives: 'status' },
  SetSessionGraphOptimizationLevel: { index: 23, takes: ['pointer', 'int'], gives: 'status' },
  SetIntraOpNumThreads: { index: 24, takes: ['pointer', 'int'], gives: 'status' },
  SessionGetInputCount: { index: 30, takes: ['pointer', 'pointer'], gives: 'status' },
  SessionGetOutputCount: { index: 31, takes: ['pointer', 'pointer'], gives: 'status' },
  SessionGetInputTypeInfo: { index: 33, takes: ['pointer', 'size', 'pointer'], gives: 'status' },
  SessionGetOutputTypeInfo: { index: 34, takes: ['pointer', 'size', 'pointer'], gives: 'status' },
  SessionGetInputName: { index: 36, takes: ['pointer', 'size', 'pointer', 'pointer'], gives: 'status' },
  SessionGetOutputName: { index: 37, takes: ['pointer', 'size', 'pointer', 'pointer'], gives: 'status' },
  CreateRunOptions: { index: 39, takes: ['pointer'], gives: 'status' },
  RunOptionsSetRunLogSeverityLevel: { index: 41, takes: ['pointer', 'int'], gives: 'status' },
  RunOptionsSetTerminate: { index: 46, takes: ['pointer'], gives: 'status' },
  RunOptionsUnsetTerminate: { index: 47, takes: ['pointer'], gives: 'status' },
  CreateTensorAsOrtValue: { index: 48, takes: ['pointer', 'pointer', 'size', 'int', 'pointer'], gives: 'status' },
  CreateTensorWithDataAsOrtValue: {
    index: 49,
    takes: ['pointer', 'pointer', 'size', 'pointer', 'size', 'int', 'pointer'],
    gives: 'status',
  },
  GetTensorMutableData: { index: 51, takes: ['pointer', 'pointer'], gives: 'status' },
  CastTypeInfoToTensorInfo: { index: 55, takes: ['pointer', 'pointer'], gives: 'status' },
  GetTensorElementType: { index: 60, takes: ['pointer', 'pointer'], gives: 'status' },
  GetDimensionsCount: { index: 61, takes: ['pointer', 'pointer'], gives: 'status' },
  GetDimensions: { index: 62, takes: ['pointer', 'pointer', 'size'], gives: 'status' },
  GetSymbolicDimensions: { index: 63, takes: ['pointer', 'pointer', 'size'], gives: 'status' },
  GetTensorTypeAndShape: { index: 65, takes: ['pointer', 'pointer'], gives: 'status' },
  CreateMemoryInfo: { index: 68, takes: ['text', 'int', 'int', 'int', 'pointer'], gives: 'status' },
  MemoryInfoGetName: { index: 71, takes: ['pointer', 'pointer'], gives: 'status' },
  AllocatorFree: { index: 76, takes: ['pointer', 'pointer'], gives: 'status' },
  GetAllocatorWithDefaultOptions: { index: 78, takes: ['pointer'], gives: 'status' },
  ReleaseEnv: { index: 92, takes: ['pointer'], gives: 'nothing' },
  ReleaseStatus: { index: 93, takes: ['pointer'], gives: 'nothing' },
  ReleaseMemoryInfo: { index: 94, takes: ['pointer'], gives: 'nothing' },
  ReleaseSession: { index: 95, takes: ['pointer'], gives: 'nothing' },
  ReleaseValue: { index: 96, takes: ['pointer'], gives: 'nothing' },
  ReleaseRunOptions: { index: 97, takes: ['pointer'], gives: 'nothing' },
  ReleaseTypeInfo: { index: 98, takes: ['pointer'], gives: 'nothing' },
  ReleaseTensorTypeAndShapeInfo: { index: 99, takes: ['pointer'], gives: 'nothing' },
  ReleaseSessionOptions: { index: 100, takes: ['pointer'], gives: 'nothing' },
  AddSessionConfigEntry: { index: 130, takes: ['pointer', 'text', 'text'], gives: 'status' },
  CreateAllocator: { index: 131, takes: ['pointer', 'pointer', 'pointer'], gives: 'status' },
  ReleaseAllocator: { index: 132, takes: ['pointer'], gives: 'nothing' },
  RunWithBinding: { index: 133, takes: ['pointer', 'pointer', 'pointer'], gives: 'status' },
  CreateIoBinding: { index: 134, takes: ['pointer', 'pointer'], gives: 'status' },
  ReleaseIoBinding: { index: 135, takes: ['pointer'], gives: 'nothing' },
  BindInput: { index: 136, takes: ['pointer', 'text', 'pointer'], gives: 'status' },
  BindOutput: { index: 137, takes: ['pointer', 'text', 'pointer'], gives: 'status' },
  BindOutputToDevice: { index: 138, takes: ['pointer', 'text', 'pointer'], gives: 'status' },
  GetBoundOutputValues: { index: 140, takes: ['pointer', 'pointer', 'pointer', 'pointer'], gives: 'status' },
  AddRunConfigEntry: { index: 165, takes: ['pointer', 'text', 'text'], gives: 'status' },
  SessionOptionsAppendExecutionProvider_CUDA_V2: { index: 204, takes: ['pointer', 'pointer'], gives: 'status' },
  CreateCUDAProviderOptions: { index: 205, takes: ['pointer'], gives: 'status' },
  UpdateCUDAProviderOptions: { index: 206, takes: ['pointer', 'texts', 'texts', 'size'], gives: 'status' },
  ReleaseCUDAProviderOptions: { index: 208, takes: ['pointer'], gives: 'nothing' },
  GetKeyValue: { index: 297, takes: ['pointer', 'text'], gives: 'text' },
  ReleaseKeyValuePairs: { index: 300, takes: ['pointer'], gives: 'nothing' },
  RegisterExecutionProviderLibrary: { index: 301, takes: ['pointer', 'text', 'path'], gives: 'status' },
  AllocatorGetStats: { index: 319, takes: ['pointer', 'pointer'], gives: 'status' },
  SessionGetMemoryInfoForInputs: { index: 380, takes: ['pointer', 'pointer', 'size'], gives: 'status' },
  SessionGetMemoryInfoForOutputs: { index: 381, takes: ['pointer', 'pointer', 'size'], gives: 'status' },
  CopyTensors: { index: 386, takes: ['pointer', 'pointer', 'pointer', 'pointer', 'size'], gives: 'status' },
  Session_GetEpGraphAssignmentInfo: { index: 407, takes: ['pointer', 'pointer', 'pointer'], gives: 'status' },
  EpAssignedSubgraph_GetEpName: { index: 408, takes: ['pointer', 'pointer'], gives: 'status' },
  EpAssignedSubgraph_GetNodes: { index: 409, takes: ['pointer', 'pointer', 'pointer'], gives: 'status' },
  EpAssignedNode_GetOperatorType: { index: 412, takes: ['pointer', 'pointer'], gives: 'status' },
} as const satisfies Readonly<Record<string, Call>>;

export type CallName = keyof typeof calls;

/** The first version of the API with all these functions: 407 to 412 came with 1.24. */
export const API_VERSION = 24;

/** An address, or an array whose own memory is meant, which must not be moved or collected during the call. */
export type Pointer = bigint | ArrayBufferView | null;

interface Values {
  readonly pointer: Pointer;
  readonly text: string;
  /** Of wide characters on Windows. */
  readonly path: string;
  readonly texts: readonly string[];
  readonly int: number;
  readonly size: number;
}

interface Call {
  readonly index: number;
  readonly takes: readonly (keyof Values)[];
  /** A status is null, or describes a failure and must be released. */
  readonly gives: 'status' | 'nothing' | 'int' | 'text';
}

type ValuesOf<Kinds extends readonly (keyof Values)[]> = { readonly [I in keyof Kinds]: Values[Kinds[I]] };
export type Arguments<Name extends CallName> = ValuesOf<(typeof calls)[Name]['takes']>;

export type Argument = Values[keyof Values];

/** Names of C types in koffi's notation. */
export const koffiTypes: Readonly<Record<keyof Values | Call['gives'], string>> = {
  pointer: 'void *',
  text: 'str',
  path: process.platform === 'win32' ? 'str16' : 'str',
  texts: 'const char **',
  int: 'int',
  size: 'size_t',
  status: 'void *',
  nothing: 'void',
};

/** Calls that fail with a status. */
export type StatusCall = {
  [Name in CallName]: (typeof calls)[Name]['gives'] extends 'status' ? Name : never;
}[CallName];
/** Calls that release an object. */
export type ReleaseCall = {
  [Name in CallName]: (typeof calls)[Name]['gives'] extends 'nothing' ? Name : never;
}[CallName];
