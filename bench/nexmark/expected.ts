import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { CanonicalAnswer } from './canonical.js';

/** What is known of the answer to one query over the first events: all of it, or its size and digest, or some lines. */
export interface ExpectedAnswer {
  readonly lines: readonly string[] | null;
  readonly sample: readonly string[] | null;
  readonly rows: number | null;
  readonly sha256: string | null;
}

interface Summary {
  readonly dataset?: {
    readonly queries?: Record<string, Record<string, { rows: number; sha256: string }>>;
  };
}

/** A folder of expected answers: `q5.25000.txt.gz`, `q0.50000.sample.txt`, and `summary.json` with digests. */
export class ExpectedAnswers {
  readonly #byQuery = new Map<string, Map<number, ExpectedAnswer>>();

  constructor(readonly directory: string) {
    const summary = join(directory, 'summary.json');
    const { dataset } = existsSync(summary) ? (JSON.parse(readFileSync(summary, 'utf8')) as Summary) : {};
    for (const [query, byEvents] of Object.entries(dataset?.queries ?? {}))
      for (const [events, { rows, sha256 }] of Object.entries(byEvents))
        this.#add(query, Number(events), { rows, sha256 });
    for (const file of readdirSync(directory)) {
      const [, query, events, kind] = /^(q\d+)\.(\d+)\.(txt|txt\.gz|sample\.txt)$/.exec(file) ?? [];
      if (query === undefined) continue;
      const bytes = readFileSync(join(directory, file));
      const text = (kind === 'txt.gz' ? gunzipSync(bytes) : bytes).toString('utf8');
      const lines = text.split('\n').slice(0, text.endsWith('\n') ? -1 : undefined);
      this.#add(query, Number(events), kind === 'sample.txt' ? { sample: lines } : { lines });
    }
  }

  /** How many of the first events there are answers for, least first. */
  get prefixes(): number[] {
    const all = new Set([...this.#byQuery.values()].flatMap((byEvents) => [...byEvents.keys()]));
    return [...all].sort((left, right) => left - right);
  }

  of(query: string, events: number): ExpectedAnswer | null {
    return this.#byQuery.get(query)?.get(events) ?? null;
  }

  #add(query: string, events: number, known: Partial<ExpectedAnswer>): void {
    const byEvents = this.#byQuery.get(query) ?? new Map<number, ExpectedAnswer>();
    this.#byQuery.set(query, byEvents);
    const before = byEvents.get(events) ?? { lines: null, sample: null, rows: null, sha256: null };
    byEvents.set(events, { ...before, ...known });
  }
}

const SHOWN_MAX = 3;

/** Null where an answer is as expected, else in what it differs. */
export function difference(answer: CanonicalAnswer, expected: ExpectedAnswer): string | null {
  const { lines, sample, rows, sha256 } = expected;
  if (lines !== null) {
    const missing = without(lines, answer.lines);
    const surplus = without(answer.lines, lines);
    if (missing.length === 0 && surplus.length === 0) return null;
    return [
      `${answer.lines.length} rows for ${lines.length}; ${missing.length} missing, ${surplus.length} too many`,
      ...missing.slice(0, SHOWN_MAX).map((line) => `  missing   ${line}`),
      ...surplus.slice(0, SHOWN_MAX).map((line) => `  too many  ${line}`),
    ].join('\n');
  }
  if (sha256 === answer.sha256) return null;
  if (rows !== null && rows !== answer.lines.length) return `${answer.lines.length} rows for ${rows}`;
  const absent = sample === null ? [] : without(sample, answer.lines);
  if (sha256 === null && absent.length === 0) return null;
  return [
    `${answer.lines.length} rows, not all of them as expected`,
    ...absent.slice(0, SHOWN_MAX).map((line) => `  missing   ${line}`),
  ].join('\n');
}

/** The lines of one that are not in the other, each as often as it is missing there. */
function without(some: readonly string[], others: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const line of others) counts.set(line, (counts.get(line) ?? 0) + 1);
  return some.filter((line) => {
    const left = counts.get(line) ?? 0;
    counts.set(line, left - 1);
    return left <= 0;
  });
}
