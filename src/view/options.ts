import type { AggregateKind } from './aggregate-spec.js';
import type { Note } from './expression.js';
import type { JoinKind } from './join-plan.js';

const JOIN = ['on', 'where', 'within'] as const;
const AS_OF = ['on', 'at'] as const;
const WINDOW = ['offset', 'timeZone'] as const;
const FRAME = ['rows', 'range'] as const;

const OPERATORS = {
  unnest: ['as'],
  except: ['all'],
  intersect: ['all'],
  top: ['per', 'order', 'offset', 'rank'],
  dedupe: ['by', 'within', 'on'],
  over: ['per', 'order'],
  window: ['on'],
  last: ['by'],
  during: ['from', 'until'],
  evolve: ['stateBytesMax'],
  join: JOIN,
  leftJoin: JOIN,
  rightJoin: JOIN,
  fullJoin: JOIN,
  semiJoin: JOIN,
  antiJoin: JOIN,
  joinAsOf: AS_OF,
  leftJoinAsOf: AS_OF,
  tumbling: WINDOW,
  hopping: ['every', ...WINDOW],
  cumulating: ['every', ...WINDOW],
  lag: ['offset', 'default'],
  lead: ['offset', 'default'],
  rolling: FRAME,
  firstValue: FRAME,
  lastValue: FRAME,
} as const;

const AGGREGATES = {
  first: ['by'],
  last: ['by'],
  minBy: ['value'],
  maxBy: ['value'],
  variance: ['population'],
  stddev: ['population'],
  histogram: ['bounds', 'width', 'from', 'to'],
  percentile: ['discrete'],
  topK: ['order'],
  collect: ['by', 'order'],
  collectDistinct: ['order'],
  joinText: ['by', 'order', 'separator'],
  approxCountDistinct: ['error'],
  approxPercentile: ['error'],
  approxTopK: ['error'],
  approxContains: ['expected', 'error'],
} as const satisfies { [kind in AggregateKind]?: readonly string[] };

type Noting = { readonly note: Note; readonly place: string | null };

/** Options that are not taken would be left out of account without a word: a name that is misspelt. */
export const unknownOptions = (given: unknown, known: readonly string[]): string[] =>
  typeof given === 'object' && given !== null
    ? Object.keys(given).filter((name) => !known.includes(name))
    : [];

export function noteOptions(given: unknown, operator: keyof typeof OPERATORS, build: Noting): void {
  note(given, OPERATORS[operator], `${operator}()`, build);
}

/** Of an aggregate, which may take none. */
export function noteAggregateOptions(given: unknown, kind: AggregateKind, build: Noting): void {
  note(
    given,
    (AGGREGATES as { [kind in AggregateKind]?: readonly string[] })[kind] ?? [],
    `${kind}()`,
    build,
  );
}

/** Of a part of an operator's options, which is named: `within`. */
export function notePart(given: unknown, known: readonly string[], what: string, build: Noting): void {
  note(given, known, what, build);
}

export const joinMethod = (kind: JoinKind): 'join' | 'leftJoin' | 'rightJoin' | 'fullJoin' =>
  kind === 'inner' ? 'join' : `${kind}Join`;

function note(given: unknown, known: readonly string[], what: string, build: Noting): void {
  for (const name of unknownOptions(given, known))
    build.note({
      code: 'unknown-option',
      what: `${what} has an option "${name}", which there is not.`,
      evidence: { options: known.join(', ') || '(none)' },
      remedy: 'Correct its name, or leave it out.',
      place: build.place,
    });
}
