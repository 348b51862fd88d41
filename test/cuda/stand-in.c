/*
 * A stand-in for the libraries of CUDA 13 that onnxruntime's CUDA provider calls (cudart, cuBLAS, cuDNN, cuRAND and the
 * driver), for machines without a GPU.
 *
 * Memory and copies are real, in the memory of the process. Kernels, products and convolutions are counted by name and
 * compute nothing, except for the sum and the product of two float32 tensors of one shape. What is recorded while a
 * graph is captured happens when the graph is launched, and not before.
 *
 * Layouts and numbers of structures are those of CUDA 13's driver_types.h; the attributes of cuDNN's back end are those
 * of cudnn_graph_v9.h.
 */
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))
#define GIB ((size_t)1 << 30)
#define DEVICE_MEMORY (80 * GIB)
#define UNUSED(x) ((void)(x))

typedef struct { unsigned x, y, z; } Dim3;
enum { SUCCESS = 0, OUT_OF_MEMORY = 2, CAPTURE_UNSUPPORTED = 900 };

/* ---- Counts ---- */

#define MOST_KERNELS 65536
typedef struct { const void *key; const char *name; long launched; long captured; } Kernel;
static Kernel kernels[MOST_KERNELS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long captures, graph_launches, synchronisations;
/* Copies from the host to the device in graphs, and how many of them found other bytes at a launch than when captured. */
static long host_reads, stale_reads;
static long copies[5], copied[5];
/* Of these, the copies between the device and page-locked memory. */
static long locked_copies[5], locked_copied[5];
static size_t used, peak, locked;
/* Handles of cuBLAS that are open. */
static long blas_handles;
static long tf32_modes;

static Kernel *kernel_of(const void *key) {
  size_t at = ((uintptr_t)key >> 4) * 11400714819323198485ull % MOST_KERNELS;
  while (kernels[at].key != NULL && kernels[at].key != key) at = (at + 1) % MOST_KERNELS;
  kernels[at].key = key;
  return &kernels[at];
}

/* ---- Page-locked memory ---- */

typedef struct Range { const char *from; size_t bytes; struct Range *next; } Range;
static Range *ranges;

static int is_locked(const char *from, size_t bytes) {
  pthread_mutex_lock(&lock);
  const Range *r = ranges;
  while (r != NULL && !(from >= r->from && from + bytes <= r->from + r->bytes)) r = r->next;
  pthread_mutex_unlock(&lock);
  return r != NULL;
}

static int take_locked(void **out, size_t bytes) {
  *out = calloc(1, bytes == 0 ? 1 : bytes);
  Range *range = malloc(sizeof *range);
  if (*out == NULL || range == NULL) return OUT_OF_MEMORY;
  pthread_mutex_lock(&lock);
  *range = (Range){.from = *out, .bytes = bytes, .next = ranges};
  ranges = range;
  locked += bytes;
  pthread_mutex_unlock(&lock);
  return SUCCESS;
}

static int give_locked(void *memory) {
  pthread_mutex_lock(&lock);
  Range **at = &ranges;
  while (*at != NULL && (*at)->from != memory) at = &(*at)->next;
  Range *range = *at;
  if (range != NULL) {
    *at = range->next;
    locked -= range->bytes;
  }
  pthread_mutex_unlock(&lock);
  free(range);
  free(memory);
  return SUCCESS;
}

/* ---- Work on a stream, and graphs of it ---- */

typedef enum { COPY, SET, ADD, MULTIPLY } Kind;
typedef struct {
  Kind kind;
  void *to;
  const void *from, *other;
  /* Bytes, or elements of a sum. */
  size_t count;
  int value;
  /* Whether the operands of a sum are tensors; otherwise one number each. */
  int whole[2];
  /* In a graph, what a copy from the host has read when it was captured. */
  void *seen;
} Work;
typedef struct { Work *list; size_t count, room; } Graph;
/* The graph that is captured. One stream is enough: onnxruntime captures on the stream of a session. */
static Graph *capture;

static void do_work(const Work *w) {
  switch (w->kind) {
    case COPY: memmove(w->to, w->from, w->count); break;
    case SET: memset(w->to, w->value, w->count); break;
    case ADD:
    case MULTIPLY:
      for (size_t i = 0; i < w->count; i++) {
        float a = ((const float *)w->from)[w->whole[0] ? i : 0], b = ((const float *)w->other)[w->whole[1] ? i : 0];
        ((float *)w->to)[i] = w->kind == ADD ? a + b : a * b;
      }
  }
}

static void submit(Work work) {
  if (capture == NULL) {
    do_work(&work);
    return;
  }
  if (capture->count == capture->room) {
    capture->room = capture->room == 0 ? 64 : 2 * capture->room;
    capture->list = realloc(capture->list, capture->room * sizeof(Work));
  }
  capture->list[capture->count++] = work;
}

static int copy(void *to, const void *from, size_t bytes, int direction) {
  if (capture == NULL && direction >= 0 && direction < 5) {
    copies[direction]++;
    copied[direction] += (long)bytes;
    if ((direction == 1 && is_locked(from, bytes)) || (direction == 2 && is_locked(to, bytes))) {
      locked_copies[direction]++;
      locked_copied[direction] += (long)bytes;
    }
  }
  void *seen = NULL;
  if (capture != NULL && direction == 1) {
    host_reads++;
    seen = malloc(bytes);
    memcpy(seen, from, bytes);
  }
  submit((Work){.kind = COPY, .to = to, .from = from, .count = bytes, .seen = seen});
  return SUCCESS;
}

static int set(void *to, int value, size_t bytes) {
  submit((Work){.kind = SET, .to = to, .value = value, .count = bytes});
  return SUCCESS;
}

static void count(const void *key, const char *name) {
  pthread_mutex_lock(&lock);
  Kernel *kernel = kernel_of(key);
  if (kernel->name == NULL) kernel->name = name;
  if (capture != NULL) kernel->captured++;
  else kernel->launched++;
  pthread_mutex_unlock(&lock);
}

static int launch(const void *key, void **args) {
  count(key, NULL);
  const char *name = kernel_of(key)->name;
  if (name == NULL) return SUCCESS;
  /* _BinaryElementWiseSimple<IncL, IncR, float, float, float, OP, 256, 4, int>(lhs, rhs, out, op, count) */
  static const char prefix[] = "_ZN11onnxruntime4cuda24_BinaryElementWiseSimpleILb";
  if (strncmp(name, prefix, sizeof prefix - 1) != 0) return SUCCESS;
  const char *rest = name + sizeof prefix - 1;
  if (strstr(rest, "ELi256ELi4EiEE") == NULL || strncmp(rest + 5, "Efff", 4) != 0) return SUCCESS;
  int add = strstr(rest, "OP_AddIfff") != NULL, multiply = strstr(rest, "OP_MulIfff") != NULL;
  if (add || multiply)
    submit((Work){
        .kind = add ? ADD : MULTIPLY,
        .from = *(const void **)args[0],
        .other = *(const void **)args[1],
        .to = *(void **)args[2],
        .count = (size_t)*(int *)args[4],
        .whole = {rest[0] == '1', rest[4] == '1'},
    });
  return SUCCESS;
}

/* ---- What the tests ask ---- */

EXPORT void standin_reset(void) {
  pthread_mutex_lock(&lock);
  for (int i = 0; i < MOST_KERNELS; i++) kernels[i].launched = kernels[i].captured = 0;
  captures = graph_launches = synchronisations = host_reads = stale_reads = tf32_modes = 0;
  memset(copies, 0, sizeof copies);
  memset(copied, 0, sizeof copied);
  memset(locked_copies, 0, sizeof locked_copies);
  memset(locked_copied, 0, sizeof locked_copied);
  peak = used;
  pthread_mutex_unlock(&lock);
}

/* Writes the counts since the last reset as lines of fields with tabs between them. */
EXPORT void standin_report(const char *path) {
  FILE *out = fopen(path, "w");
  if (out == NULL) return;
  static const char *const directions[] = {"host to host", "to device", "to host", "on device", "any"};
  pthread_mutex_lock(&lock);
  fprintf(out, "captures\t%ld\ngraph launches\t%ld\nsynchronisations\t%ld\n", captures, graph_launches, synchronisations);
  fprintf(out, "host reads\t%ld\nstale reads\t%ld\n", host_reads, stale_reads);
  fprintf(out, "memory\t%zu\npeak\t%zu\npage-locked\t%zu\n", used, peak, locked);
  fprintf(out, "cublas handles\t%ld\ntf32 modes\t%ld\n", blas_handles, tf32_modes);
  for (int i = 0; i < 5; i++) {
    fprintf(out, "copies %s\t%ld\t%ld\n", directions[i], copies[i], copied[i]);
    fprintf(out, "page-locked copies %s\t%ld\t%ld\n", directions[i], locked_copies[i], locked_copied[i]);
  }
  for (int i = 0; i < MOST_KERNELS; i++) {
    const Kernel *k = &kernels[i];
    if (k->launched + k->captured > 0)
      fprintf(out, "kernel\t%ld\t%ld\t%s\n", k->launched, k->captured, k->name == NULL ? "?" : k->name);
  }
  pthread_mutex_unlock(&lock);
  fclose(out);
}

/* For whole programs: the report of their last moment, in a file named by the environment. */
__attribute__((destructor)) static void at_exit(void) {
  const char *path = getenv("STANDIN_REPORT");
  if (path != NULL) standin_report(path);
}

/* ---- cudart: kernels ---- */

EXPORT void **__cudaRegisterFatBinary(void *binary) {
  static void *handle[1];
  UNUSED(binary);
  return handle;
}
EXPORT void __cudaRegisterFatBinaryEnd(void **handle) { UNUSED(handle); }
EXPORT void __cudaUnregisterFatBinary(void **handle) { UNUSED(handle); }
EXPORT void __cudaRegisterFunction(void **handle, const char *host, char *device, const char *name) {
  UNUSED(handle);
  UNUSED(device);
  kernel_of(host)->name = name;
}
EXPORT void __cudaRegisterVar(void **handle) { UNUSED(handle); }

static __thread struct { Dim3 grid, block; size_t shared; void *stream; } pushed;
EXPORT unsigned __cudaPushCallConfiguration(Dim3 grid, Dim3 block, size_t shared, void *stream) {
  pushed.grid = grid;
  pushed.block = block;
  pushed.shared = shared;
  pushed.stream = stream;
  return SUCCESS;
}
EXPORT int __cudaPopCallConfiguration(Dim3 *grid, Dim3 *block, size_t *shared, void *stream) {
  *grid = pushed.grid;
  *block = pushed.block;
  *shared = pushed.shared;
  *(void **)stream = pushed.stream;
  return SUCCESS;
}
EXPORT int __cudaGetKernel(const void **kernel, const void *host) {
  *kernel = host;
  return SUCCESS;
}
EXPORT int __cudaLaunchKernel(const void *kernel, Dim3 grid, Dim3 block, void **args) {
  UNUSED(grid);
  UNUSED(block);
  return launch(kernel, args);
}
EXPORT int cudaLaunchKernel(const void *kernel, Dim3 grid, Dim3 block, void **args) {
  UNUSED(grid);
  UNUSED(block);
  return launch(kernel, args);
}
EXPORT int cudaLaunchCooperativeKernel(const void *kernel, Dim3 grid, Dim3 block, void **args) {
  UNUSED(grid);
  UNUSED(block);
  return launch(kernel, args);
}
EXPORT int cudaLaunchKernelExC(const void *config, const void *kernel, void **args) {
  UNUSED(config);
  return launch(kernel, args);
}
EXPORT int cudaLaunchHostFunc(void *stream, void (*f)(void *), void *data) {
  UNUSED(stream);
  /* A graph would keep the function; onnxruntime only frees memory in it. */
  if (capture == NULL) f(data);
  return SUCCESS;
}
EXPORT int cudaLibraryLoadData(void **library) {
  static int one;
  *library = &one;
  return SUCCESS;
}
EXPORT int cudaLibraryGetKernel(void **kernel, void *library, const char *name) {
  UNUSED(library);
  char *key = strdup(name);
  kernel_of(key)->name = key;
  *kernel = key;
  return SUCCESS;
}
EXPORT int cudaLibraryUnload(void *library) {
  UNUSED(library);
  return SUCCESS;
}
EXPORT int cudaKernelSetAttributeForDevice(void) { return SUCCESS; }
EXPORT int cudaFuncSetAttribute(void) { return SUCCESS; }
EXPORT int cudaFuncGetAttributes(char *attributes, const void *function) {
  UNUSED(function);
  memset(attributes, 0, 144);
  *(int *)(attributes + 24) = 1024; /* maxThreadsPerBlock */
  *(int *)(attributes + 28) = 32;   /* numRegs */
  *(int *)(attributes + 32) = 90;   /* ptxVersion */
  *(int *)(attributes + 36) = 90;   /* binaryVersion */
  return SUCCESS;
}
EXPORT int cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int *blocks) {
  *blocks = 2;
  return SUCCESS;
}

/* ---- cudart: the device, with the properties of an H100 ---- */

EXPORT int cudaGetDevice(int *device) {
  *device = 0;
  return SUCCESS;
}
EXPORT int cudaSetDevice(int device) {
  UNUSED(device);
  return SUCCESS;
}
EXPORT int cudaGetDeviceCount(int *count) {
  *count = 1;
  return SUCCESS;
}
EXPORT int cudaDeviceSynchronize(void) {
  synchronisations++;
  return SUCCESS;
}
EXPORT int cudaDriverGetVersion(int *version) {
  *version = 13000;
  return SUCCESS;
}
EXPORT int cudaRuntimeGetVersion(int *version) {
  *version = 13000;
  return SUCCESS;
}
EXPORT int cudaGetDeviceProperties(char *properties, int device) {
  UNUSED(device);
  memset(properties, 0, 1008);
  strcpy(properties, "stand-in");
#define PUT(type, offset, number) *(type *)(properties + offset) = number
  PUT(size_t, 288, DEVICE_MEMORY);
  PUT(size_t, 296, 49152);       /* sharedMemPerBlock */
  PUT(int, 304, 65536);          /* regsPerBlock */
  PUT(int, 308, 32);             /* warpSize */
  PUT(int, 320, 1024);           /* maxThreadsPerBlock */
  PUT(int, 324, 1024);           /* maxThreadsDim */
  PUT(int, 328, 1024);
  PUT(int, 332, 64);
  PUT(int, 336, 2147483647);     /* maxGridSize */
  PUT(int, 340, 65535);
  PUT(int, 344, 65535);
  PUT(int, 360, 9);              /* major */
  PUT(int, 384, 132);            /* multiProcessorCount */
  PUT(int, 560, 1);              /* concurrentKernels */
  PUT(int, 584, 3);              /* asyncEngineCount */
  PUT(int, 588, 1);              /* unifiedAddressing */
  PUT(int, 596, 50 << 20);       /* l2CacheSize */
  PUT(int, 604, 2048);           /* maxThreadsPerMultiProcessor */
  PUT(size_t, 624, 233472);      /* sharedMemPerMultiprocessor */
  PUT(int, 632, 65536);          /* regsPerMultiprocessor */
  PUT(int, 668, 1);              /* cooperativeLaunch */
  PUT(size_t, 672, 232448);      /* sharedMemPerBlockOptin */
  PUT(int, 688, 32);             /* maxBlocksPerMultiProcessor */
  return SUCCESS;
}
EXPORT int cudaDeviceGetAttribute(int *value, int attribute, int device) {
  UNUSED(device);
  switch (attribute) {
    case 1: *value = 1024; break;     /* MaxThreadsPerBlock */
    case 8: *value = 49152; break;    /* MaxSharedMemoryPerBlock */
    case 10: *value = 32; break;      /* WarpSize */
    case 16: *value = 132; break;     /* MultiProcessorCount */
    case 39: *value = 2048; break;    /* MaxThreadsPerMultiProcessor */
    case 75: *value = 9; break;       /* ComputeCapabilityMajor */
    case 81: *value = 233472; break;  /* MaxSharedMemoryPerMultiprocessor */
    case 97: *value = 232448; break;  /* MaxSharedMemoryPerBlockOptin */
    case 115: *value = 1; break;      /* MemoryPoolsSupported */
    default: *value = 0;
  }
  return SUCCESS;
}
EXPORT const char *cudaGetErrorString(int error) { return error == SUCCESS ? "no error" : "error of the stand-in"; }
EXPORT const char *cudaGetErrorName(int error) { return error == SUCCESS ? "cudaSuccess" : "cudaErrorUnknown"; }
EXPORT int cudaGetLastError(void) { return SUCCESS; }
EXPORT int cudaPeekAtLastError(void) { return SUCCESS; }

/* ---- cudart: memory ---- */

static int take(void **out, size_t bytes) {
  if (used + bytes > DEVICE_MEMORY) return OUT_OF_MEMORY;
  void *memory = calloc(1, bytes == 0 ? 1 : bytes);
  if (memory == NULL) return OUT_OF_MEMORY;
  pthread_mutex_lock(&lock);
  used += malloc_usable_size(memory);
  if (used > peak) peak = used;
  pthread_mutex_unlock(&lock);
  *out = memory;
  return SUCCESS;
}
static int give(void *memory) {
  if (memory == NULL) return SUCCESS;
  pthread_mutex_lock(&lock);
  used -= malloc_usable_size(memory);
  pthread_mutex_unlock(&lock);
  free(memory);
  return SUCCESS;
}
EXPORT int cudaMalloc(void **out, size_t bytes) { return take(out, bytes); }
EXPORT int cudaMallocFromPoolAsync(void **out, size_t bytes) { return take(out, bytes); }
EXPORT int cudaFree(void *memory) { return give(memory); }
EXPORT int cudaFreeAsync(void *memory) { return give(memory); }
EXPORT int cudaHostAlloc(void **out, size_t bytes) { return take_locked(out, bytes); }
EXPORT int cudaMallocHost(void **out, size_t bytes) { return take_locked(out, bytes); }
EXPORT int cudaFreeHost(void *memory) { return give_locked(memory); }
EXPORT int cudaMemGetInfo(size_t *available, size_t *total) {
  *total = DEVICE_MEMORY;
  *available = DEVICE_MEMORY - used;
  return SUCCESS;
}
EXPORT int cudaMemPoolCreate(void **pool) {
  static int one;
  *pool = &one;
  return SUCCESS;
}
EXPORT int cudaMemPoolDestroy(void) { return SUCCESS; }
EXPORT int cudaMemPoolGetAttribute(void *pool, int attribute, void *value) {
  UNUSED(pool);
  UNUSED(attribute);
  *(uint64_t *)value = 0;
  return SUCCESS;
}
EXPORT int cudaMemPoolSetAttribute(void) { return SUCCESS; }
EXPORT int cudaMemPoolTrimTo(void) { return SUCCESS; }
EXPORT int cudaPointerGetAttributes(char *attributes, const void *pointer) {
  memset(attributes, 0, 88);
  *(int *)attributes = 2; /* cudaMemoryTypeDevice */
  *(const void **)(attributes + 8) = pointer;
  return SUCCESS;
}
EXPORT int cudaMemcpy(void *to, const void *from, size_t bytes, int direction) { return copy(to, from, bytes, direction); }
EXPORT int cudaMemcpyAsync(void *to, const void *from, size_t bytes, int direction) { return copy(to, from, bytes, direction); }
EXPORT int cudaMemcpy2DAsync(void *to, size_t to_pitch, const void *from, size_t from_pitch, size_t width, size_t height, int direction) {
  for (size_t row = 0; row < height; row++)
    copy((char *)to + row * to_pitch, (const char *)from + row * from_pitch, width, direction);
  return SUCCESS;
}
EXPORT int cudaMemcpyFromSymbol(void *to, const void *symbol, size_t bytes) {
  UNUSED(symbol);
  return set(to, 0, bytes);
}
EXPORT int cudaMemset(void *to, int value, size_t bytes) { return set(to, value, bytes); }
EXPORT int cudaMemsetAsync(void *to, int value, size_t bytes) { return set(to, value, bytes); }

/* ---- cudart: streams, events, graphs ---- */

static int handle(void **out) {
  *out = calloc(1, 64);
  return SUCCESS;
}
static int synchronise(void) {
  synchronisations++;
  return capture == NULL ? SUCCESS : CAPTURE_UNSUPPORTED;
}
EXPORT int cudaStreamCreate(void **stream) { return handle(stream); }
EXPORT int cudaStreamCreateWithFlags(void **stream) { return handle(stream); }
EXPORT int cudaStreamDestroy(void *stream) {
  free(stream);
  return SUCCESS;
}
EXPORT int cudaStreamSynchronize(void) { return synchronise(); }
EXPORT int cudaStreamWaitEvent(void) { return SUCCESS; }
EXPORT int cudaStreamIsCapturing(void *stream, int *status) {
  UNUSED(stream);
  *status = capture != NULL;
  return SUCCESS;
}
EXPORT int cudaStreamBeginCapture(void) {
  capture = calloc(1, sizeof(Graph));
  captures++;
  return SUCCESS;
}
EXPORT int cudaStreamEndCapture(void *stream, void **graph) {
  UNUSED(stream);
  *graph = capture;
  capture = NULL;
  return SUCCESS;
}
EXPORT int cudaGraphInstantiate(void **executable, const Graph *graph) {
  Graph *copied_graph = malloc(sizeof *graph);
  *copied_graph = *graph;
  *executable = copied_graph;
  return SUCCESS;
}
EXPORT int cudaGraphLaunch(const Graph *graph) {
  graph_launches++;
  for (size_t i = 0; i < graph->count; i++) {
    const Work *w = &graph->list[i];
    if (w->seen != NULL && memcmp(w->seen, w->from, w->count) != 0) stale_reads++;
    do_work(w);
  }
  return SUCCESS;
}
EXPORT int cudaGraphDestroy(void) { return SUCCESS; }
EXPORT int cudaGraphExecDestroy(void) { return SUCCESS; }
EXPORT int cudaEventCreate(void **event) { return handle(event); }
EXPORT int cudaEventCreateWithFlags(void **event) { return handle(event); }
EXPORT int cudaEventDestroy(void *event) {
  free(event);
  return SUCCESS;
}
EXPORT int cudaEventRecord(void) { return SUCCESS; }
EXPORT int cudaEventSynchronize(void) { return synchronise(); }
EXPORT int cudaEventElapsedTime(float *milliseconds) {
  *milliseconds = 1;
  return SUCCESS;
}

/* ---- The driver ---- */

static int nothing(void) { return SUCCESS; }
EXPORT int cudaGetDriverEntryPointByVersion(const char *name, void **entry, unsigned version, unsigned long long flags, int *status) {
  UNUSED(name);
  UNUSED(version);
  UNUSED(flags);
  *entry = (void *)nothing;
  if (status != NULL) *status = 0;
  return SUCCESS;
}
EXPORT int cuInit(unsigned flags) {
  UNUSED(flags);
  return SUCCESS;
}
EXPORT int cuDeviceGet(int *device, int ordinal) {
  *device = ordinal;
  return SUCCESS;
}
EXPORT int cuDeviceGetCount(int *count) {
  *count = 1;
  return SUCCESS;
}
EXPORT int cuDeviceTotalMem_v2(size_t *bytes, int device) {
  UNUSED(device);
  *bytes = DEVICE_MEMORY;
  return SUCCESS;
}
EXPORT int cuDevicePrimaryCtxRetain(void **context, int device) {
  UNUSED(device);
  return handle(context);
}
EXPORT int cuDevicePrimaryCtxRelease_v2(int device) {
  UNUSED(device);
  return SUCCESS;
}
EXPORT int cuCtxSetCurrent(void *context) {
  UNUSED(context);
  return SUCCESS;
}
EXPORT int cuMemGetInfo_v2(size_t *available, size_t *total) { return cudaMemGetInfo(available, total); }
EXPORT int cuGetErrorString(int error, const char **text) {
  *text = cudaGetErrorString(error);
  return SUCCESS;
}
EXPORT int cuTensorMapEncodeTiled(void) { return SUCCESS; }

/* ---- cuBLAS, cuRAND and the older functions of cuDNN ---- */

/* A function that launches a kernel, one that does not, and one that makes a handle. */
#define LAUNCHES(name) \
  EXPORT int name(void) { \
    static char key; \
    count(&key, #name); \
    return SUCCESS; \
  }
#define ACCEPTS(name) \
  EXPORT int name(void) { return SUCCESS; }
#define MAKES(name) \
  EXPORT int name(void **out) { return handle(out); }

static int change_blas_handles(long by) {
  pthread_mutex_lock(&lock);
  blas_handles += by;
  pthread_mutex_unlock(&lock);
  return SUCCESS;
}
EXPORT int cublasCreate_v2(void **out) {
  change_blas_handles(1);
  return handle(out);
}
EXPORT int cublasDestroy_v2(void *handle_) {
  UNUSED(handle_);
  return change_blas_handles(-1);
}
/* The low bits are the mode, of which 3 is CUBLAS_TF32_TENSOR_OP_MATH. */
EXPORT int cublasSetMathMode(void *handle_, int mode) {
  UNUSED(handle_);
  pthread_mutex_lock(&lock);
  if ((mode & 15) == 3) tf32_modes++;
  pthread_mutex_unlock(&lock);
  return SUCCESS;
}
ACCEPTS(cublasSetStream_v2)
EXPORT int cublasGetMathMode(void *handle_, int *mode) {
  UNUSED(handle_);
  *mode = 0;
  return SUCCESS;
}
EXPORT const char *cublasGetStatusName(int status) { return cudaGetErrorName(status); }
EXPORT const char *cublasGetStatusString(int status) { return cudaGetErrorString(status); }
LAUNCHES(cublasDcopy_v2) LAUNCHES(cublasDgeam) LAUNCHES(cublasDgemmBatched) LAUNCHES(cublasDgemmStridedBatched)
LAUNCHES(cublasDgemm_v2) LAUNCHES(cublasDgetrfBatched) LAUNCHES(cublasDgetriBatched) LAUNCHES(cublasGemmBatchedEx)
LAUNCHES(cublasGemmEx) LAUNCHES(cublasGemmStridedBatchedEx) LAUNCHES(cublasScopy_v2) LAUNCHES(cublasSgeam)
LAUNCHES(cublasSgemmBatched) LAUNCHES(cublasSgemmStridedBatched) LAUNCHES(cublasSgemm_v2) LAUNCHES(cublasSgetrfBatched)
LAUNCHES(cublasSgetriBatched) LAUNCHES(cublasSscal_v2)

MAKES(cublasLtCreate) MAKES(cublasLtMatmulDescCreate) MAKES(cublasLtMatmulPreferenceCreate)
MAKES(cublasLtMatrixLayoutCreate) MAKES(cublasLtMatrixTransformDescCreate)
ACCEPTS(cublasLtDestroy) ACCEPTS(cublasLtMatmulAlgoConfigSetAttribute) ACCEPTS(cublasLtMatmulAlgoInit)
ACCEPTS(cublasLtMatmulDescDestroy) ACCEPTS(cublasLtMatmulDescSetAttribute) ACCEPTS(cublasLtMatmulPreferenceDestroy)
ACCEPTS(cublasLtMatmulPreferenceSetAttribute) ACCEPTS(cublasLtMatrixLayoutDestroy)
ACCEPTS(cublasLtMatrixLayoutSetAttribute) ACCEPTS(cublasLtMatrixTransformDescDestroy)
LAUNCHES(cublasLtMatmul) LAUNCHES(cublasLtMatrixTransform)
EXPORT int cublasLtMatmulAlgoGetHeuristic(void *lt, void *operation, void *a, void *b, void *c, void *d, void *preference, int asked, void *results, int *found) {
  UNUSED(lt), UNUSED(operation), UNUSED(a), UNUSED(b), UNUSED(c), UNUSED(d), UNUSED(preference), UNUSED(asked);
  memset(results, 0, 96);
  *found = 1;
  return SUCCESS;
}

ACCEPTS(curandCreateGenerator) ACCEPTS(curandDestroyGenerator)

EXPORT size_t cudnnGetVersion(void) { return 91400; }
EXPORT size_t cudnnGetCudartVersion(void) { return 13000; }
EXPORT const char *cudnnGetErrorString(int error) { return cudaGetErrorString(error); }
EXPORT void cudnnGetLastErrorString(char *message, size_t room) {
  if (room > 0) message[0] = '\0';
}
MAKES(cudnnCreate) MAKES(cudnnCreateActivationDescriptor) MAKES(cudnnCreateConvolutionDescriptor)
MAKES(cudnnCreateDropoutDescriptor) MAKES(cudnnCreateFilterDescriptor) MAKES(cudnnCreateLRNDescriptor)
MAKES(cudnnCreatePoolingDescriptor) MAKES(cudnnCreateRNNDataDescriptor) MAKES(cudnnCreateRNNDescriptor)
MAKES(cudnnCreateReduceTensorDescriptor) MAKES(cudnnCreateTensorDescriptor)
ACCEPTS(cudnnDestroy) ACCEPTS(cudnnDestroyActivationDescriptor) ACCEPTS(cudnnDestroyConvolutionDescriptor)
ACCEPTS(cudnnDestroyDropoutDescriptor) ACCEPTS(cudnnDestroyFilterDescriptor) ACCEPTS(cudnnDestroyLRNDescriptor)
ACCEPTS(cudnnDestroyPoolingDescriptor) ACCEPTS(cudnnDestroyRNNDataDescriptor) ACCEPTS(cudnnDestroyRNNDescriptor)
ACCEPTS(cudnnDestroyReduceTensorDescriptor) ACCEPTS(cudnnDestroyTensorDescriptor) ACCEPTS(cudnnDeriveBNTensorDescriptor)
ACCEPTS(cudnnGetRNNTempSpaceSizes) ACCEPTS(cudnnGetRNNWeightParams) ACCEPTS(cudnnGetTensorNdDescriptor)
ACCEPTS(cudnnSetActivationDescriptor) ACCEPTS(cudnnSetConvolutionGroupCount) ACCEPTS(cudnnSetConvolutionMathType)
ACCEPTS(cudnnSetConvolutionNdDescriptor) ACCEPTS(cudnnSetDropoutDescriptor) ACCEPTS(cudnnSetFilterNdDescriptor)
ACCEPTS(cudnnSetLRNDescriptor) ACCEPTS(cudnnSetPoolingNdDescriptor) ACCEPTS(cudnnSetRNNDataDescriptor)
ACCEPTS(cudnnSetRNNDescriptor_v8) ACCEPTS(cudnnSetReduceTensorDescriptor) ACCEPTS(cudnnSetTensorNdDescriptor)
LAUNCHES(cudnnActivationForward) LAUNCHES(cudnnAddTensor) LAUNCHES(cudnnBatchNormalizationForwardInference)
LAUNCHES(cudnnBatchNormalizationForwardTraining) LAUNCHES(cudnnConvolutionBiasActivationForward)
LAUNCHES(cudnnConvolutionForward) LAUNCHES(cudnnLRNCrossChannelForward) LAUNCHES(cudnnPoolingForward)
LAUNCHES(cudnnRNNForward) LAUNCHES(cudnnReduceTensor) LAUNCHES(cudnnSoftmaxForward)
static __thread void *stream_of_cudnn;
EXPORT int cudnnSetStream(void *dnn, void *stream) {
  UNUSED(dnn);
  stream_of_cudnn = stream;
  return SUCCESS;
}
EXPORT int cudnnGetStream(void *dnn, void **stream) {
  UNUSED(dnn);
  *stream = stream_of_cudnn;
  return SUCCESS;
}
EXPORT int cudnnDropoutGetStatesSize(void *dnn, size_t *bytes) {
  UNUSED(dnn);
  *bytes = 64;
  return SUCCESS;
}
static int no_workspace(void *a, void *b, void *c, void *d, size_t *bytes) {
  UNUSED(a), UNUSED(b), UNUSED(c), UNUSED(d);
  *bytes = 0;
  return SUCCESS;
}
EXPORT int cudnnGetReductionIndicesSize(void *a, void *b, void *c, void *d, size_t *bytes) { return no_workspace(a, b, c, d, bytes); }
EXPORT int cudnnGetReductionWorkspaceSize(void *a, void *b, void *c, void *d, size_t *bytes) { return no_workspace(a, b, c, d, bytes); }
EXPORT int cudnnGetConvolutionForwardWorkspaceSize(void *a, void *b, void *c, void *d, void *e, int algorithm, size_t *bytes) {
  UNUSED(e), UNUSED(algorithm);
  return no_workspace(a, b, c, d, bytes);
}

/* ---- The back end of cuDNN: any graph has one engine, with one configuration ---- */

EXPORT int cudnnBackendCreateDescriptor(int type, void **out) {
  UNUSED(type);
  return handle(out);
}
ACCEPTS(cudnnBackendDestroyDescriptor) ACCEPTS(cudnnBackendFinalize) ACCEPTS(cudnnBackendInitialize)
ACCEPTS(cudnnBackendSetAttribute) LAUNCHES(cudnnBackendExecute)
EXPORT int cudnnBackendGetAttribute(void *descriptor, int name, int type, int64_t asked, int64_t *found, void *out) {
  enum { INT64 = 3, DESCRIPTOR = 15, INT32 = 23, KNOB_CHOICES = 302 };
  UNUSED(descriptor);
  int64_t number = 0;
  if (type == DESCRIPTOR) number = name == KNOB_CHOICES ? 0 : 1;
  if (type == INT64 || type == INT32) {
    number = 1;
    if (asked > 0 && out != NULL) memset(out, 0, type == INT64 ? 8 : 4);
  }
  if (found != NULL) *found = number;
  return SUCCESS;
}
