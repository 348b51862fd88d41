import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { reasonOf } from '../files/file-error.ts';
import { UserError } from '../files/user-error.ts';
import { type AnsweredRequest, serverApp } from './app.ts';
import type { Service } from './service.ts';

export interface ServerOptions {
  readonly host: string;
  /** 0 for any that is free. */
  readonly port: number;
  readonly maxBody: number;
  /** Milliseconds from the head of a request to its answer. */
  readonly timeout: number;
  answered(request: AnsweredRequest): void;
}

/** Milliseconds in which a client must have sent the head of a request, and all of it. */
const headTimeout = 10_000;
const bodyTimeout = 60_000;
/** Milliseconds after which a connection on which nothing is asked is ended. */
const keepAlive = 5_000;
/** Milliseconds that a request has to come in full, once the server stops. */
const arrival = 5_000;
/** Milliseconds that connections without a request have to end, once the last answer is sent. */
const farewell = 500;
/** Most connections at a time; further ones are refused. */
const mostConnections = 1024;

export interface RunningServer {
  readonly url: string;
  /** Whether an address is of this machine alone. */
  readonly isLoopback: boolean;
  /** Refuses new requests, answers those that it has accepted, and ends. */
  stop(): Promise<void>;
}

/** Listens. Throws a UserError if the address or the port cannot be used. */
export async function startServer(service: Service, options: ServerOptions): Promise<RunningServer> {
  let stopping = false;
  const app = serverApp(service, { ...options, stopping: () => stopping });
  const server = createServer(
    {
      headersTimeout: headTimeout,
      requestTimeout: bodyTimeout,
      keepAliveTimeout: keepAlive,
      connectionsCheckingInterval: 1000,
    },
    getRequestListener(app.fetch, { overrideGlobalObjects: false }),
  );
  server.maxConnections = mostConnections;
  // A client that does not read its answer is silent for longer than any answer takes.
  server.timeout = options.timeout + bodyTimeout;
  const pending = new PendingAnswers(server);
  await listening(server, options);
  const { address, port, family } = server.address() as AddressInfo;
  const host = family === 'IPv6' ? `[${address}]` : address;
  return {
    url: `http://${host}:${port}`,
    isLoopback: address === '::1' || address.startsWith('127.'),
    async stop() {
      stopping = true;
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      const late = setTimeout(() => pending.cutIncomplete(), arrival);
      await pending.none();
      clearTimeout(late);
      const idle = setTimeout(() => server.closeAllConnections(), farewell);
      await closed;
      clearTimeout(idle);
    },
  };
}

function listening(server: Server, { host, port }: ServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(new UserError(`cannot listen on ${host}:${port}: ${reasonOf(error)}`)));
    server.listen({ host, port }, resolve);
  });
}

/** The requests whose heads have come, and whose answers are not sent yet. */
class PendingAnswers {
  readonly #requests = new Set<IncomingMessage>();
  #waiting: (() => void)[] = [];

  constructor(server: Server) {
    server.on('request', (request, response) => {
      this.#requests.add(request);
      response.once('close', () => {
        this.#requests.delete(request);
        if (this.#requests.size > 0) return;
        for (const resolve of this.#waiting) resolve();
        this.#waiting = [];
      });
    });
  }

  /** Ends the connections on which a request is still coming. */
  cutIncomplete(): void {
    for (const request of this.#requests) if (!request.complete) request.socket.destroy();
  }

  /** Waits until there is none. */
  none(): Promise<void> {
    if (this.#requests.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }
}
