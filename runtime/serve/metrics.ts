/** Upper bounds of a histogram's buckets. */
const seconds = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const rows = [1, 2, 4, 8, 16, 32, 64];

class Histogram {
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;
  #count = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = bounds.map(() => 0);
  }

  add(value: number): void {
    for (const [i, bound] of this.#bounds.entries()) if (value <= bound) this.#counts[i] = (this.#counts[i] ?? 0) + 1;
    this.#sum += value;
    this.#count++;
  }

  lines(name: string, labels: string): string[] {
    const with_ = (more: string) => `{${[labels, more].filter((part) => part !== '').join()}}`;
    const plain = labels === '' ? '' : `{${labels}}`;
    return [
      ...this.#bounds.map((bound, i) => `${name}_bucket${with_(`le="${bound}"`)} ${this.#counts[i]}`),
      `${name}_bucket${with_('le="+Inf"')} ${this.#count}`,
      `${name}_sum${plain} ${this.#sum}`,
      `${name}_count${plain} ${this.#count}`,
    ];
  }
}

/** What is true at the moment of the question. */
export interface Gauges {
  /** Requests that wait for a run of the model. */
  readonly waiting: number;
  /** Requests that were accepted and not yet answered. */
  readonly pending: number;
  readonly ready: boolean;
}

/** Counts what a server does, and writes it in Prometheus's text format (version 0.0.4). */
export class Metrics {
  readonly #model: string;
  readonly #requests = new Map<string, number>();
  readonly #latency = new Map<string, Histogram>();
  readonly #batches = new Histogram(rows);
  readonly #runs = new Histogram(seconds);

  constructor(model: string) {
    this.#model = model;
  }

  /** Counts an answered request; `route` is a pattern, not the path that a client wrote. */
  request(method: string, route: string, status: number, milliseconds: number): void {
    const key = `method="${method}",route="${route}",code="${status}"`;
    this.#requests.set(key, (this.#requests.get(key) ?? 0) + 1);
    const at = `route="${route}"`;
    const latency = this.#latency.get(at) ?? new Histogram(seconds);
    this.#latency.set(at, latency);
    latency.add(milliseconds / 1000);
  }

  run(batch: number, milliseconds: number): void {
    this.#batches.add(batch);
    this.#runs.add(milliseconds / 1000);
  }

  text({ waiting, pending, ready }: Gauges): string {
    const metric = (name: string, kind: string, help: string, lines: readonly string[]) => [
      `# HELP ${name} ${help}`,
      `# TYPE ${name} ${kind}`,
      ...lines,
    ];
    const model = `model="${this.#model}"`;
    const lines = [
      ...metric(
        'crobc_requests_total',
        'counter',
        'Answered requests.',
        [...this.#requests].map(([labels, count]) => `crobc_requests_total{${labels}} ${count}`),
      ),
      ...metric(
        'crobc_request_seconds',
        'histogram',
        'Time from the head of a request to its answer.',
        [...this.#latency].flatMap(([labels, histogram]) => histogram.lines('crobc_request_seconds', labels)),
      ),
      ...metric(
        'crobc_run_seconds',
        'histogram',
        'Duration of a run of the model.',
        this.#runs.lines('crobc_run_seconds', model),
      ),
      ...metric(
        'crobc_batch_size',
        'histogram',
        'Rows of a run of the model.',
        this.#batches.lines('crobc_batch_size', model),
      ),
      ...metric('crobc_waiting', 'gauge', 'Requests that wait for a run of the model.', [
        `crobc_waiting{${model}} ${waiting}`,
      ]),
      ...metric('crobc_pending', 'gauge', 'Accepted requests without an answer.', [
        `crobc_pending{${model}} ${pending}`,
      ]),
      ...metric('crobc_ready', 'gauge', '1 if the model takes requests.', [`crobc_ready{${model}} ${ready ? 1 : 0}`]),
    ];
    return `${lines.join('\n')}\n`;
  }
}
