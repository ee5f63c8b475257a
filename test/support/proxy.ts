import { createServer, type Server, Socket } from 'node:net';

/**
 * What the proxy does to the traffic of one moment:
 *
 *   pass       everything goes through
 *   stall      nothing goes through either way, and the connections stay open
 *   cutBefore  the next request is not passed on: the connection is cut instead
 *   cutAfter   the next request is passed on, and the connection is cut instead of passing on its reply
 */
export type ProxyMode = 'pass' | 'stall' | 'cutBefore' | 'cutAfter';

interface Pair {
  near: Socket;
  far: Socket;
  cut: boolean;
}

function pause({ near, far }: Pair): void {
  near.pause();
  far.pause();
}

function resume({ near, far }: Pair): void {
  near.resume();
  far.resume();
}

/** A TCP proxy in front of a server, to lose, hold and delay what goes over the wire. */
export class Proxy {
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #mode: ProxyMode = 'pass';
  /** Only a request that holds this text is cut at. */
  #pattern: string | null = null;
  delayMs = 0;
  /** How many times a connection was cut by mode. */
  cuts = 0;

  private constructor(readonly targetPort: number) {
    this.#server = createServer((near) => this.#accept(near));
  }

  static async start(targetPort: number): Promise<Proxy> {
    const proxy = new Proxy(targetPort);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }
  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  get connections(): number {
    return this.#pairs.size;
  }

  /** `pattern` limits the cutting modes to requests that hold this text (a command's name, as it is sent). */
  mode(mode: ProxyMode, pattern: string | null = null): void {
    const stalled = this.#mode === 'stall';
    this.#mode = mode;
    this.#pattern = pattern;
    if (stalled && mode !== 'stall') for (const pair of this.#pairs) resume(pair);
    if (mode === 'stall') for (const pair of this.#pairs) pause(pair);
  }

  /** Cuts all connections now. */
  cutAll(): void {
    for (const pair of this.#pairs) this.#cut(pair);
  }

  async stop(): Promise<void> {
    this.cutAll();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(near: Socket): void {
    const far = new Socket();
    const pair = { near, far, cut: false };
    this.#pairs.add(pair);
    let swallow = false;
    const end = (): void => {
      // A stalled connection looks open from both sides.
      if (this.#mode === 'stall' && !pair.cut) return;
      this.#pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    near.setNoDelay(true);
    far.setNoDelay(true);
    near.on('data', (chunk) => {
      const meant =
        this.#pattern === null ||
        chunk.toString('latin1').toLowerCase().includes(this.#pattern.toLowerCase());
      if (this.#mode === 'cutBefore' && meant) return this.#cutOnce(pair);
      if (this.#mode === 'cutAfter' && meant) {
        this.#mode = 'pass';
        swallow = true;
      }
      this.#later(() => far.write(chunk));
    });
    far.on('data', (chunk) => {
      if (swallow) return this.#cutOnce(pair);
      this.#later(() => near.write(chunk));
    });
    for (const socket of [near, far]) {
      socket.on('error', end);
      socket.on('close', end);
    }
    far.connect(this.targetPort, '127.0.0.1');
    if (this.#mode === 'stall') pause(pair);
  }

  #later(work: () => void): void {
    if (this.delayMs > 0) setTimeout(work, this.delayMs);
    else work();
  }

  #cutOnce(pair: Pair): void {
    this.#mode = 'pass';
    this.cuts += 1;
    this.#cut(pair);
  }

  #cut(pair: Pair): void {
    pair.cut = true;
    this.#pairs.delete(pair);
    pair.near.destroy();
    pair.far.destroy();
  }
}
