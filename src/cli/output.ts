import { InvariantError } from '../assert.js';
import { messageOf, StillwaterError } from '../errors/stillwater-error.js';
import { ServiceProblem } from './service-problem.js';

const LINE_MS = 5_000;
const REDRAW_MS = 100;

/**
 * What a command says. Results go to stdout: text for people, or with `--json` one JSON value and nothing else. Progress
 * and errors for people go to stderr.
 */
export class Output {
  #drawnAt = -Infinity;
  #drawn = false;

  constructor(readonly json: boolean) {}

  /** The result, in both forms. */
  result(value: unknown, text: string): void {
    this.#endLine();
    process.stdout.write(this.json ? `${JSON.stringify(value)}\n` : `${text}\n`);
  }

  /** How far it is: redrawn on a terminal, a line now and then elsewhere. */
  progress(text: string): void {
    if (this.json) return;
    const terminal = process.stderr.isTTY === true;
    const now = performance.now();
    if (now - this.#drawnAt < (terminal ? REDRAW_MS : LINE_MS)) return;
    this.#drawnAt = now;
    this.#drawn = terminal;
    process.stderr.write(
      terminal ? `\r\x1b[K${text.slice(0, (process.stderr.columns || 80) - 1)}` : `${text}\n`,
    );
  }

  /** What people should know beside the result. */
  note(text: string): void {
    this.#endLine();
    process.stderr.write(`${text}\n`);
  }

  error(thrown: unknown): void {
    this.#endLine();
    if (this.json) process.stdout.write(`${JSON.stringify({ error: problemOf(thrown) })}\n`);
    else process.stderr.write(`${textOf(thrown)}\n`);
  }

  #endLine(): void {
    if (this.#drawn) process.stderr.write('\r\x1b[K');
    this.#drawn = false;
  }
}

function problemOf(thrown: unknown): unknown {
  if (thrown instanceof ServiceProblem) return thrown.problem;
  if (thrown instanceof StillwaterError) return { code: thrown.code, ...thrown.parts };
  return { code: 'internal', what: messageOf(thrown) };
}

/** A mistake of ours shows where it was made; anything else only what it says. */
function textOf(thrown: unknown): string {
  const ours =
    thrown instanceof InvariantError || thrown instanceof TypeError || thrown instanceof ReferenceError;
  return ours ? (thrown.stack ?? thrown.message) : messageOf(thrown);
}

/** Columns side by side. Numbers to the right. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const shown = rows.map((row) =>
    row.map((cell) => (typeof cell === 'number' ? cell.toLocaleString('en') : cell)),
  );
  const widths = head.map((title, column) =>
    Math.max(title.length, ...shown.map((row) => row[column]!.length)),
  );
  const numeric = head.map(
    (_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === 'number'),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) =>
        numeric[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
      )
      .join('  ')
      .trimEnd();
  return [line(head), ...shown.map(line)].join('\n');
}

/** `1 h 5 min`, `3 min 20 s`, `4 s`. */
export function durationText(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes} min ${seconds % 60} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
