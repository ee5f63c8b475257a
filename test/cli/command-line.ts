import { spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const JITI = resolve('node_modules/jiti/lib/jiti-cli.mjs');
const STILLWATER = resolve('src/cli/stillwater.ts');
const ENDED_WITHIN_MS = 50_000;

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs the command line in a process of its own, from its sources. Settings of the machine do not reach it. */
export function stillwater(
  args: readonly string[],
  { env = {}, input, cwd }: { env?: Record<string, string>; input?: string; cwd?: string } = {},
): Promise<Ended> {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [JITI, STILLWATER, ...args], {
    env: { PATH, HOME, JITI_FS_CACHE: join(tmpdir(), 'stillwater-test-jiti'), ...env },
    stdio: 'pipe',
    timeout: ENDED_WITHIN_MS,
    ...(cwd !== undefined && { cwd }),
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr += chunk));
  child.stdin.end(input ?? '');
  return new Promise((done) => child.once('close', (code) => done({ code, stdout, stderr })));
}

export interface Asked {
  method: string;
  path: string;
  headers: IncomingMessage['headers'];
  body: string;
}
export interface Reply {
  status?: number;
  headers?: Record<string, string>;
  body?: unknown;
  /** Closes the connection instead of answering. */
  cut?: boolean;
}

/** A server that answers as the service does, and remembers what it was asked. */
export class Service {
  readonly asked: Asked[] = [];

  private constructor(
    readonly server: Server,
    readonly url: string,
  ) {}

  static async start(answer: (asked: Asked, count: number) => Reply): Promise<Service> {
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => (body += chunk));
      request.on('end', () => {
        const asked = { method: request.method!, path: request.url!, headers: request.headers, body };
        service.asked.push(asked);
        const reply = answer(asked, service.asked.length);
        if (reply.cut) return void request.socket.destroy();
        const status = reply.status ?? 200;
        response.writeHead(status, {
          'content-type': status < 400 ? 'application/json' : 'application/problem+json',
          ...reply.headers,
        });
        response.end(JSON.stringify(reply.body ?? {}));
      });
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const service = new Service(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    return service;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((closed) => this.server.close(closed));
  }
}
