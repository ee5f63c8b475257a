import type { Writable } from 'node:stream';
import { StillwaterError } from '../errors/stillwater-error.js';
import type { SourceLog } from '../runtime/ports/source-log.js';
import { readAirports } from './airports.js';
import { flightsByDeparture, FLIGHTS_TOTAL } from './flights.js';
import { loadOnce, type DataSet } from './load-once.js';
import { Progress } from './progress.js';

/** Few enough to be there in seconds, many enough to look at: the first four days. */
export const DEMO_FLIGHTS = 100_000;

export interface DemoOptions {
  readonly log: SourceLog;
  /** The prefix of our Redis keys. */
  readonly prefix: string;
  /** How many flights; all three million take a few minutes. */
  readonly flights?: number;
  /** Where progress is shown. */
  readonly output?: Writable & { isTTY?: boolean };
  /** Stops loading; the next start goes on from there. */
  readonly signal?: AbortSignal;
}

/** Loads the example's airports and flights, each of them once, whatever happened in earlier starts. */
export async function startDemo({
  log,
  prefix,
  flights = DEMO_FLIGHTS,
  output = process.stderr,
  signal,
}: DemoOptions): Promise<void> {
  for (const set of [airportSet(), flightSet(flights)]) {
    if (signal?.aborted) return;
    const progress = new Progress(output, set.name, set.wanted);
    const outcome = await loadOnce(set, {
      log,
      marksKey: `${prefix}:demo:${set.name}`,
      onProgress: (loaded) => progress.show(loaded),
      signal,
    });
    if (outcome.status === 'foreign') output.write(`${foreignStream(set).message}\n`);
    else if (outcome.added > 0) progress.end(outcome.loaded);
  }
}

/**
 * What `--flights` says: a number, or `all`.
 * @throws StillwaterError `wrong-argument`
 */
export function readFlightsWanted(text: string): number {
  if (text === 'all') return FLIGHTS_TOTAL;
  const wanted = Number(text.replaceAll(/[_,]/g, ''));
  if (Number.isInteger(wanted) && wanted > 0) return Math.min(wanted, FLIGHTS_TOTAL);
  throw new StillwaterError('wrong-argument', {
    what: '--flights does not say how many flights.',
    evidence: `  given   ${JSON.stringify(text)}\n  wanted  a number up to ${FLIGHTS_TOTAL.toLocaleString('en')}, or all`,
    consequence: 'Nothing was started.',
    remedy: `Leave it out to get ${DEMO_FLIGHTS.toLocaleString('en')}.`,
  });
}

/** Three lines to type that show something, once the service answers at `url`. */
export function demoLines(url: string): string[] {
  return [
    `curl '${url}/views/delays-by-airport/rows?order=flights.desc&limit=5'`,
    `curl '${url}/views/busiest-routes/rows?flights=gte.100&order=flights.desc&limit=5'`,
    `curl '${url}/views/delays-by-airport/rows/ORD'`,
  ];
}

function airportSet(): DataSet {
  const airports = readAirports();
  return {
    name: 'airports',
    redisKey: 'airports',
    wanted: airports.length,
    async *items() {
      yield airports.map((airport) => JSON.stringify(airport));
    },
  };
}

function flightSet(wanted: number): DataSet {
  return {
    name: 'flights',
    redisKey: 'flights',
    wanted,
    async *items() {
      for await (const run of flightsByDeparture()) yield run.map((flight) => JSON.stringify(flight));
    },
  };
}

function foreignStream(set: DataSet): StillwaterError {
  return new StillwaterError('demo-stream-foreign', {
    what: `The stream "${set.redisKey}" holds events that the example did not load.`,
    evidence: `  its first entry is not the first of the example’s ${set.name}`,
    consequence: `None of the example’s ${set.name} were loaded; the stream was left as it is.`,
    remedy: 'Start with `--no-demo`, or use another Redis database for the example.',
  });
}
