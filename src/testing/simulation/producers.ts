import type { RawEntry } from '../../runtime/ports/source-log.js';
import type { MemoryRedis } from '../memory/memory-redis.js';
import { Random } from '../random.js';
import type { SimulatedSource } from './subject.js';

/** Makes another seed of one: what is drawn of it leaves the rest of the run as it is. */
const OTHER_SEED = 0xba7c4;
/** How often events come together, where they do, and how many at the most. */
const TOGETHER = 0.2;
const TOGETHER_MAX = 12;

/** Whoever appends to the logs of a run. */
export class Producers {
  /** Entries that were appended. */
  entries = 0;
  /** Null where each event is an entry. */
  readonly #together: Random | null;

  constructor(
    readonly redis: MemoryRedis,
    readonly random: Random,
    readonly sources: readonly SimulatedSource[],
    options: {
      /** Now and then several events are one entry. */
      readonly together: boolean;
    },
  ) {
    this.#together = options.together ? new Random(random.seed ^ OTHER_SEED) : null;
  }

  append(count: number): void {
    for (; count > 0; count--) {
      const source = this.random.of(this.sources);
      if (this.#together?.chance(TOGETHER))
        this.#appendTogether(source, 2 + this.#together.below(TOGETHER_MAX - 1));
      else this.#append(this.#drawn(source));
    }
    this.redis.wake();
  }

  /** Those of one log in one entry; deletions are entries of their own. */
  #appendTogether(source: SimulatedSource, count: number): void {
    const batches = new Map<string, string[]>();
    for (; count > 0; count--) {
      const drawn = this.#drawn(source);
      const [name, data] = drawn.fields;
      if (name === 'data') batches.set(drawn.redisKey, [...(batches.get(drawn.redisKey) ?? []), data!]);
      else this.#append(drawn);
    }
    for (const [redisKey, events] of batches)
      this.#append({ redisKey, fields: ['batch', `[${events.join(',')}]`] });
  }

  #drawn(source: SimulatedSource): Drawn {
    return source.entry(this.random, this.redis.clock.now());
  }

  #append({ redisKey, fields }: Drawn): void {
    const stream = this.redis.stream(redisKey);
    stream.add(stream.nextId(this.redis.clock.now()), fields);
    this.entries++;
  }
}

type Drawn = ReturnType<SimulatedSource['entry']>;

/** Each event of an entry as an entry of the same id. */
export function eventsOf([id, fields]: RawEntry): RawEntry[] {
  const [name, text] = fields;
  if (name !== 'batch') return [[id, fields]];
  return (JSON.parse(text!) as object[]).map((event) => [id, ['data', JSON.stringify(event)]]);
}
