import type { Delta } from '../zset/delta.js';
import type { Time } from './time.js';
import type { CacheBudget } from './two-generations.js';

/**
 * One vertex of a circuit: the deltas of a tick in, one delta out.
 *
 * Synchronous and deterministic: no clock, no randomness, no input or output. Whatever an operator must
 * remember from tick to tick lies in the states handed to its constructor, so that a commit stores exactly
 * what the tick changed and another worker can go on from there. (An instance may keep scratch values between
 * `reads` and `step` of one tick.)
 *
 * Operators meet unconsolidated deltas: a row may come several times, with weights of any sign. They must
 * give the same result however the input is ordered and cut. Rows are shared with other operators and are
 * never modified.
 */
export interface Operator {
  /**
   * Names everything `step` will look up, by calling `want…` on its states. Called before `step` and, while
   * something named was not loaded, again after it was: what to read may depend on what was read. Must not
   * change anything.
   */
  reads?(inputs: readonly Delta[], time: Time): void;
  /** The rows of a tick come first, then the time that has passed with them. */
  step(inputs: readonly Delta[], time: Time): Delta;
  /** What it gives may change as time passes: it is also stepped without input when time has moved. */
  readonly timed?: boolean;
  /**
   * After a step: there was more to do than one tick takes. The operators behind it do not see the new time yet, and the
   * circuit is to be stepped again, without input.
   */
  readonly unfinished?: boolean;
  /**
   * Whether what a step has left is work in its states, which is not a matter of time: the circuit remembers in a state of
   * its own that the operator is to be stepped again, and gives it no input until it has finished. Absent where it never is.
   */
  readonly resumes?: boolean;
  /** The tick was given up: scratch values and results of it go. States are taken back by others. */
  discard?(): void;
}

/**
 * Where an operator puts the rows that a user's function threw on. They are a collection like any other: the
 * retraction of a failing row, which fails again, takes its error away.
 */
export interface ErrorSink {
  add(row: unknown, weight: number, thrown: unknown): void;
}

/** Where an operator puts the rows it leaves out because what they belong to is finished. */
export interface LateSink {
  /** `watermark`: of the row's partition when it came. */
  add(row: unknown, weight: number, watermark: number): void;
}

/** What an operator is built on: its states by name. Names are unique in a circuit. */
export interface StateFactory {
  keyed<V>(name: string, codec: Codec<V>): Keyed<V>;
  ordered(name: string): Ordered;
  errors(operator: string): ErrorSink;
  lates(operator: string): LateSink;
}

/** How a value lies in Redis. Equal values must have equal texts. */
export interface Codec<V> {
  encode(value: V): string;
  decode(text: string): V;
}

/** Values that are never modified, stored as JSON. */
export const json: Codec<any> = {
  encode: (value) => JSON.stringify(value),
  decode: (text) => JSON.parse(text),
};

/** State as a map from a key's text to a value. Only what was wanted and loaded may be asked for. */
export interface Keyed<V> {
  /** Asks for a key; whether it is loaded already. */
  want(key: string): boolean;
  /** Asks for many, which takes less than for one after the other; whether all of them are loaded already. */
  wantEach(keys: readonly string[]): boolean;
  get(key: string): V | undefined;
  /** The value, which may be changed in place and is then stored. */
  edit(key: string): V | undefined;
  set(key: string, value: V): void;
  delete(key: string): void;
}

/**
 * State as ordered multisets, one per group: members are texts, ordered by UTF-8 bytes, with positive weights.
 * A member carries all that is to be known of it (an order text, then a payload if need be).
 */
export interface Ordered {
  /** What it caches is part of; for what is remembered of members beside it. */
  readonly budget: CacheBudget;
  /** One member's weight will be asked for, or changed. */
  wantMember(group: string, member: string): void;
  /**
   * The `count` least (or greatest) members will be asked for, after as many as `retracted` were taken away in this tick.
   * As with the other ranges: whether they are loaded already.
   */
  wantEnd(group: string, end: 'least' | 'greatest', count: number, retracted: number): boolean;
  /** All members will be asked for. */
  wantAll(group: string): boolean;
  /**
   * Up to `count` members from `start` on will be asked for, `start` included where it is one, after as many of them as
   * `retracted` were taken away in this tick; upwards only those before `end`, where one is given.
   * Whether they are loaded already.
   */
  wantFrom(
    group: string,
    start: string,
    direction: 'up' | 'down',
    count: number,
    retracted: number,
    end?: string | null,
  ): boolean;
  /** All members from `from` up to but not including `to` will be asked for. */
  wantBetween(group: string, from: string, to: string): boolean;

  weight(group: string, member: string): number;
  /** Changes a wanted member's weight. It must not become negative. */
  add(group: string, member: string, weight: number): void;
  /** The same of a member that need not have been wanted: `before`, its weight, is known from elsewhere. */
  addTo(before: number, group: string, member: string, weight: number): void;
  end(
    group: string,
    end: 'least' | 'greatest',
    count: number,
  ): readonly (readonly [member: string, weight: number])[];
  all(group: string): Iterable<readonly [member: string, weight: number]>;
  /** The nearest first. */
  from(
    group: string,
    start: string,
    direction: 'up' | 'down',
    count: number,
    end?: string | null,
  ): readonly (readonly [member: string, weight: number])[];
  /** How many `from` upwards would give. */
  count(group: string, start: string, most: number, end?: string | null): number;
  /** In order. */
  between(group: string, from: string, to: string): Iterable<readonly [member: string, weight: number]>;
}
