import type { Delta } from '../zset/delta.js';
import type { PartitionClocks } from './clocks.js';
import type { ExchangeEntry } from './exchange-entry.js';
import type { Heard } from './followed.js';
import type { Frontier } from './frontier.js';
import type { EntryError, InputBatch } from './input.js';
import type { InputPosition } from './ports/task-store.js';
import { deltasOf } from './received.js';

/** What comes next of those that are followed: an entry, or the word of one of them that brings no rows. */
export interface Part {
  readonly entry: ExchangeEntry | null;
}

/** Where a batch begins. */
export interface Begun {
  readonly position: InputPosition;
  /** What is heard of each that is followed. */
  readonly heard: readonly Heard[];
  /** The inputs of the circuit that entries bring rows of. */
  readonly exchanges: readonly string[];
}

/**
 * What other tasks of the view have sent, as a batch of parts. What is kept of it beside the position is what is heard of each of
 * them; it says all the rest.
 */
export abstract class ReceivedBatch<P extends Part> implements InputBatch {
  readonly size: number;
  /** What is heard after so many parts, as it was last asked for. */
  #known: { readonly to: number; readonly heard: readonly Heard[] };

  constructor(
    readonly parts: readonly P[],
    readonly begun: Begun,
  ) {
    this.size = parts.length;
    this.#known = { to: 0, heard: begun.heard };
  }

  /** Takes a part into what is heard. */
  protected abstract hear(heard: Heard[], part: P): void;

  abstract frontierAfter(to: number): Frontier;

  abstract clocksAfter(to: number): PartitionClocks;

  inputs(from: number, to: number): ReadonlyMap<string, Delta> {
    const entries = this.parts.slice(from, to).flatMap(({ entry }) => entry ?? []);
    return deltasOf(entries, this.begun.exchanges);
  }

  positionAfter(to: number): InputPosition {
    const entries = this.begun.position.entries + to;
    return { position: `${entries}-0`, entries };
  }

  noteAfter(to: number): readonly Heard[] {
    // Ticks follow one another: what they ask is mostly further than what was asked last.
    if (to < this.#known.to) this.#known = { to: 0, heard: this.begun.heard };
    if (to === this.#known.to) return this.#known.heard;
    const heard = [...this.#known.heard];
    for (let at = this.#known.to; at < to; at++) this.hear(heard, this.parts[at]!);
    this.#known = { to, heard };
    return heard;
  }

  errors(): EntryError[] {
    return [];
  }
}
