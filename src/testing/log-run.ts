import type { PartitionClocks } from '../runtime/clocks.js';
import { EntryDecoder } from '../runtime/decode-entry.js';
import type { DecodedBatch } from '../runtime/decoded-batch.js';
import { partitionKeys } from '../runtime/placement.js';
import { inputNameOf } from '../view/declarations.js';
import { Delta } from '../zset/delta.js';
import type { Append, AppendedEntry } from './history.js';
import type { Brought } from './view-run.js';

type Item = Append[number];

/** The logs of a test as they are read: entries decoded, and each partition's clock. */
export class LogRun {
  readonly #decoders = new Map<string, EntryDecoder>();
  readonly #clocks = new Map<string, number>();

  /** What these entries and heartbeats give, by input. In vain: clocks stay where they were. */
  read(append: Append, inVain: boolean): Brought {
    const deltas = new Map<string, Delta>();
    const errors: Brought['errors'] = new Map();
    const clocks = new Map<string, PartitionClocks>();
    for (const items of byPartition(append)) {
      const { source, partition } = items[0];
      const name = inputNameOf(source);
      const redisKey = partitionKeys(source)[partition]!;
      const batch = this.#decode(name, redisKey, items);
      const clock = this.#clocks.get(redisKey) ?? -Infinity;
      const { lates, clocks: after } = batch.times(0, clock);
      const entries = batch.ids.length;
      if (!inVain) this.#clocks.set(redisKey, after[entries]!);
      clocks.set(name, { ...clocks.get(name), [redisKey]: after[entries]! });
      if (entries === 0) continue;
      const delta = batch.delta(0, entries, 'time', lates);
      const known = deltas.get(name);
      deltas.set(name, known ? together(known, delta) : delta);
      errors.set(name, [...(errors.get(name) ?? []), ...batch.errors]);
    }
    return { deltas, errors, clocks };
  }

  #decode(input: string, redisKey: string, items: readonly [Item, ...Item[]]): DecodedBatch {
    const of = `${input} ${redisKey}`;
    let decoder = this.#decoders.get(of);
    if (decoder === undefined)
      this.#decoders.set(of, (decoder = new EntryDecoder(items[0].source, items[0].partition)));
    const entries: AppendedEntry[] = [];
    const heartbeats = new Map<number, number>();
    for (const item of items) {
      const after = entries.length - 1;
      if ('entry' in item) entries.push(item);
      else heartbeats.set(after, Math.max(item.heartbeat, heartbeats.get(after) ?? -Infinity));
    }
    const batch = decoder.decode(entries.map(({ entry }) => entry));
    batch.heartbeats = heartbeats;
    return batch;
  }
}

/** The deltas of two partitions as one. */
function together(left: Delta, right: Delta): Delta {
  const latesOf = (delta: Delta): number[] =>
    delta.lates ?? new Array<number>(delta.rows.length).fill(-Infinity);
  return new Delta(
    [...left.rows, ...right.rows],
    [...left.weights, ...right.weights],
    [...left.orders!, ...right.orders!],
    left.lates || right.lates ? [...latesOf(left), ...latesOf(right)] : undefined,
  );
}

function byPartition(append: Append): Iterable<readonly [Item, ...Item[]]> {
  const found = new Map<string, [Item, ...Item[]]>();
  for (const item of append) {
    const partition = `${item.source.kind}:${partitionKeys(item.source)[item.partition]}`;
    const items = found.get(partition);
    if (items) items.push(item);
    else found.set(partition, [item]);
  }
  return found.values();
}
