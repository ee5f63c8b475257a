import { readFileSync } from 'node:fs';
import { madeEvents } from './made-events.js';

/** One event as it is appended: as the generator wrote it. */
export interface NexmarkEvent {
  readonly seq: number;
  readonly stream: StreamName;
  readonly text: string;
}

export type StreamName = 'persons' | 'auctions' | 'bids' | 'side_input';

const STREAM_OF: Readonly<Record<string, StreamName>> = {
  person: 'persons',
  auction: 'auctions',
  bid: 'bids',
};

/** Events in the order in which they arrive, and the rows of the side input. */
export class DataSet {
  private constructor(
    readonly events: readonly NexmarkEvent[],
    readonly sideInput: readonly string[],
  ) {}

  /** As the generator writes it: one event a line, in the order of arrival. */
  static fromFile(file: string, sideInput: string | null = null): DataSet {
    const side = sideInput === null ? madeSideInput() : linesOf(sideInput);
    return new DataSet(linesOf(file).map(eventOf), side);
  }

  /** Made here: of the same shape and the same proportions, the same at every run. */
  static made(events: number): DataSet {
    return new DataSet(
      Array.from(madeEvents(events), (made) => eventOf(JSON.stringify(made))),
      madeSideInput(),
    );
  }

  /** What has happened when so many events have, in the order of time. */
  first(events: number): DataSet {
    return new DataSet(
      this.events.filter(({ seq }) => seq < events),
      this.sideInput,
    );
  }

  /** What is appended to a stream. */
  *textsOf(stream: StreamName): Generator<string> {
    if (stream === 'side_input') yield* this.sideInput;
    else for (const event of this.events) if (event.stream === stream) yield event.text;
  }
}

const linesOf = (file: string): string[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '');

function eventOf(text: string): NexmarkEvent {
  const { seq, type } = JSON.parse(text) as { seq: number; type: string };
  const stream = STREAM_OF[type];
  if (stream === undefined) throw new Error(`Event ${seq} is of an unknown type, ${type}.`);
  return { seq, stream, text };
}

const SIDE_KEYS = 10_000;

/** The table that q13 joins: two of three keys have a row. */
const madeSideInput = (): string[] =>
  Array.from({ length: SIDE_KEYS }, (_, key) => ({ key, value: `side-${(key * 7_919) % 10_007}` }))
    .filter(({ key }) => key % 3 !== 0)
    .map((row) => JSON.stringify(row));
