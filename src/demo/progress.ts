import type { Writable } from 'node:stream';

const BAR_WIDTH = 30;
const REDRAW_MS = 80;
const LINE_MS = 5_000;

/** How far something is: a bar where people watch, a line now and then where a file or a log reads along. */
export class Progress {
  readonly #startedAt = performance.now();
  #first: number | null = null;
  #drawnAt = -Infinity;
  #drawn = false;

  constructor(
    private readonly output: Writable & { isTTY?: boolean },
    private readonly label: string,
    private readonly total: number,
  ) {}

  show(done: number): void {
    this.#first ??= done;
    const now = performance.now();
    if (now - this.#drawnAt < (this.output.isTTY ? REDRAW_MS : LINE_MS)) return;
    const isFirstLine = !this.output.isTTY && this.#drawnAt === -Infinity;
    this.#drawnAt = now;
    if (isFirstLine) return;
    this.#draw(done, now);
  }

  /** The last state, on a line of its own. */
  end(done: number): void {
    this.#draw(done, performance.now());
    if (this.output.isTTY && this.#drawn) this.output.write('\n');
  }

  #draw(done: number, now: number): void {
    this.#drawn = true;
    const filled = Math.round(BAR_WIDTH * Math.min(1, done / Math.max(1, this.total)));
    const rate = Math.round((done - (this.#first ?? 0)) / Math.max(0.001, (now - this.#startedAt) / 1000));
    const counts = `${this.label}  ${done.toLocaleString('en')} of ${this.total.toLocaleString('en')}  ${rate.toLocaleString('en')}/s`;
    const line = this.output.isTTY
      ? `\r\x1b[K[${'#'.repeat(filled).padEnd(BAR_WIDTH, '.')}]  ${counts}`
      : `${counts}\n`;
    this.output.write(line);
  }
}
