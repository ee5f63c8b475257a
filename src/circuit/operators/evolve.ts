import { assert } from '../../assert.js';
import { Delta } from '../../zset/delta.js';
import type { Row } from '../../zset/value.js';
import type { FrozenGroups } from '../frozen-groups.js';
import type { Codec, ErrorSink, Keyed, Operator } from '../operator.js';
import type { ParkingSink } from '../parked-keys.js';
import { entryOf, positionIn } from '../place-in-log.js';
import { pure } from '../pure.js';
import { freezeRow, type RowCalls } from '../row-function.js';
import type { Time } from '../time.js';

/** What a handler is given. */
export interface StateAndEvent {
  readonly state: Row;
  readonly event: Row;
}

export interface EvolveOptions {
  groupKeyOf: (row: Row) => string;
  /** The columns a row is grouped by, for people. */
  groupOf: (row: Row) => Row;
  /** The event in an input row. */
  eventOf: (row: Row) => Row;
  /** What folds an event; null for events that change nothing. */
  handlerOf: (event: Row) => RowCalls<Row | null> | null;
  /** A row of the output, from any input row of the group and its state. */
  rowOf: (sample: Row, state: Row) => Row;
  initial: Row;
  /** UTF-8 bytes of a state's JSON. */
  stateBytesMax: number;
  /** Where the view shows the groups' rows itself: nothing is given on then. */
  show?: (key: string, row: Row | null) => void;
  /** Where groups are at an instant that has a watermark. Events that are late for it are left out before they come here. */
  frozen?: FrozenGroups;
  /** The instant a group is at, of any input row of it. */
  frozenAt?: (row: Row) => string;
}

/** Where a group stopped. */
export interface Parked {
  /** The entry it could not fold. */
  readonly entry: string;
  /** How many events came after it. They lie in the log, and nowhere else. */
  readonly waiting: number;
}

/** What is kept of a group: its state, null without one, and where it stopped, if it did. */
export class Evolved {
  #row: Row | null = null;

  constructor(
    /** The JSON of the state. */
    readonly text: string | null,
    readonly parked: Parked | null,
  ) {}

  static of(state: Row, text: string): Evolved {
    const evolved = new Evolved(text, null);
    evolved.#row = state;
    return evolved;
  }

  /** Frozen. */
  get state(): Row | null {
    if (this.#row === null && this.text !== null) this.#row = freezeRow(JSON.parse(this.text) as Row);
    return this.#row;
  }
}

/** The state's JSON; of a parked group `[state, entry, waiting]`. */
export const evolvedCodec: Codec<Evolved> = {
  encode: ({ text, parked }) =>
    parked === null
      ? text!
      : `[${text ?? 'null'},${JSON.stringify(parked.entry)},${JSON.stringify(parked.waiting)}]`,
  decode(text) {
    if (!text.startsWith('[')) return new Evolved(text, null);
    const [state, entry, waiting] = JSON.parse(text) as [Row | null, string, number];
    return new Evolved(state && JSON.stringify(state), { entry, waiting });
  },
};

const NOTHING = new Evolved(null, null);

/**
 * Folds the events of each group, in the order of the log, into a state.
 *
 *   in   Δ event, insertions only, each with its place in the log
 *   out  Δ [group, state]    the old state retracted, the new one inserted, where they differ
 *
 * All events of a group lie in one partition and come in the order of their positions, so that the fold is the same
 * however they are cut into ticks. A state of null is no row, and nothing is kept of the group: the next event meets the
 * initial state.
 *
 * An event that cannot be folded parks its group: it is an error, the row stays as it was before it, and later events of
 * the group are counted and change nothing. Other groups go on.
 *
 * Where a column that is grouped by has a watermark, a group below it is frozen: no event of it comes any more. What is kept
 * of it goes, parked or not, and its row stays as it was shown last.
 */
export class Evolve implements Operator {
  #input: Delta<Row> | null = null;
  #keys: string[] = [];

  constructor(
    readonly groups: Keyed<Evolved>,
    readonly options: EvolveOptions,
    readonly errors: ErrorSink,
    readonly parking: ParkingSink,
  ) {}

  /** It does something when time passes. */
  get timed(): boolean {
    return this.options.frozen !== undefined;
  }

  get unfinished(): boolean {
    return this.options.frozen?.unfinished ?? false;
  }

  reads([input]: readonly [Delta<Row>], time: Time): void {
    if (this.#input !== input) {
      this.#input = input;
      this.#keys = input.rows.map(this.options.groupKeyOf);
    }
    this.groups.wantEach(this.#keys);
    const due = this.options.frozen?.reads(time, () => 0) ?? [];
    this.groups.wantEach(due);
  }

  step([input]: readonly [Delta<Row>]): Delta<Row> {
    const touched = new Map<string, Touched>();
    // Without events there are no places either: only time has passed.
    if (input.size > 0)
      pure(() => {
        const places = placesByPosition(input);
        for (let index = 0; index < input.size; index++)
          this.#take(input, places === null ? index : places[index]!, touched);
      });
    const output = new Delta<Row>();
    for (const [key, change] of touched) this.#settle(key, change, output);
    this.#free();
    this.#forget();
    return output;
  }

  discard(): void {
    this.#forget();
    this.parking.discard();
    this.options.frozen?.discard();
  }

  #forget(): void {
    this.#input = null;
    this.#keys = [];
  }

  #take(input: Delta<Row>, index: number, touched: Map<string, Touched>): void {
    const key = this.#keys[index]!;
    const row = input.rows[index]!;
    const weight = input.weights[index]!;
    assert(weight >= 0, 'An event was retracted from a stream that is only appended to.');
    let change = touched.get(key);
    if (change === undefined) {
      const before = this.groups.get(key) ?? NOTHING;
      touched.set(key, (change = { sample: row, before, after: before }));
    }
    for (let times = 0; times < weight; times++)
      change.after = this.#folded(change.after, row, input.orders![index]!);
  }

  #folded(group: Evolved, row: Row, order: string): Evolved {
    const { initial, eventOf, handlerOf, groupOf, stateBytesMax } = this.options;
    if (group.parked !== null) {
      this.parking.waiting(1);
      const { entry, waiting } = group.parked;
      return new Evolved(group.text, { entry, waiting: waiting + 1 });
    }
    const event = eventOf(row);
    try {
      const handler = handlerOf(event);
      if (handler === null) return group;
      const before = group.state ?? initial;
      const state = handler.of({ state: before, event: freezeRow(event) });
      if (state === null) return NOTHING;
      const text = JSON.stringify(state);
      if (text === group.text) return group;
      refuseLarge(text, stateBytesMax);
      return Evolved.of(freezeRow(state), text);
    } catch (thrown) {
      const entry = entryOf(order);
      this.errors.add({ key: groupOf(row), entry, event }, 1, reasonOf(thrown));
      this.parking.parked();
      return new Evolved(group.text, { entry, waiting: 0 });
    }
  }

  #settle(key: string, { sample, before, after }: Touched, output: Delta<Row>): void {
    if (after === before) return;
    const { frozen, frozenAt } = this.options;
    if (after === NOTHING) {
      this.#show(key, sample, before, after, output);
      this.groups.delete(key);
      frozen?.remove(key, frozenAt!(sample));
      return;
    }
    this.groups.set(key, after);
    this.#show(key, sample, before, after, output);
    // Over with the tick that it came in: nothing of it need be kept.
    if (before === NOTHING && frozen?.add(key, frozenAt!(sample))) this.groups.delete(key);
  }

  #show(key: string, sample: Row, before: Evolved, after: Evolved, output: Delta<Row>): void {
    if (after.text === before.text) return;
    const { rowOf, show } = this.options;
    if (show) return show(key, after.state && rowOf(sample, after.state));
    if (before.state !== null) output.push(rowOf(sample, before.state), -1);
    if (after.state !== null) output.push(rowOf(sample, after.state), 1);
  }

  #free(): void {
    const { frozen } = this.options;
    for (const due of frozen?.due ?? []) {
      if (!frozen!.isStill(due)) continue;
      this.groups.delete(due.key);
      frozen!.free(due);
    }
  }
}

interface Touched {
  /** Any input row of the group: its group columns are the output's. */
  readonly sample: Row;
  readonly before: Evolved;
  after: Evolved;
}

/** The places of a delta's rows in the order of the log; null where they lie in it already, as they mostly do. */
function placesByPosition({ orders, size }: Delta<Row>): number[] | null {
  assert(orders !== undefined, 'Events without their places in the log cannot be folded.');
  const positions = orders.map(positionIn);
  let index = 1;
  while (index < size && positions[index - 1]! <= positions[index]!) index++;
  if (index >= size) return null;
  return [...positions.keys()].sort((left, right) => {
    if (positions[left] === positions[right]) return left - right;
    return positions[left]! < positions[right]! ? -1 : 1;
  });
}

const reasonOf = (thrown: unknown): string =>
  `${thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown)} ` +
  'The key is parked: its later events wait for a corrected definition, which replays them.';

/** UTF-16 units are at most three bytes each. */
const BYTES_OF_UNIT_MAX = 3;

function refuseLarge(text: string, stateBytesMax: number): void {
  if (text.length * BYTES_OF_UNIT_MAX <= stateBytesMax) return;
  const bytes = Buffer.byteLength(text);
  if (bytes > stateBytesMax)
    throw new RangeError(`The state has ${bytes} bytes of JSON, more than stateBytesMax (${stateBytesMax}).`);
}
