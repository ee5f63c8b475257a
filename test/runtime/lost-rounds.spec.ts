import { encodeEntry } from '../../src/runtime/exchange-entry.js';
import { ExchangeInput } from '../../src/runtime/exchange-input.js';
import { type Heard, heardIn } from '../../src/runtime/followed.js';
import { givenAgain, type RoundAt, roundGivenBy, withNextGiven } from '../../src/runtime/given-again.js';
import { type InputBatch, LogLost } from '../../src/runtime/input.js';
import { LostRounds } from '../../src/runtime/lost-rounds.js';
import type { NewsDesk } from '../../src/runtime/news-desk.js';
import type { TaskRecord, TaskStatus, TaskStore } from '../../src/runtime/ports/task-store.js';
import { NOTHING_HEARD } from '../../src/runtime/received.js';
import { type HeardOfRounds, ROUNDS } from '../../src/runtime/rounds.js';
import type { TaskId } from '../../src/runtime/task-id.js';
import type { TaskOptions } from '../../src/runtime/task-options.js';
import type { Ticks } from '../../src/runtime/ticks.js';
import { NO_TICK } from '../../src/runtime/tick.js';

const task = (stage: number, partition: number): TaskId => ({ view: 'v', generation: 1, stage, partition });
const BEGUN = [[0, 'first']] as const;

/** A round that was cut behind a commit of 0.0. */
const round = (tick: number, at: number, begun: RoundAt['begun'] = BEGUN): RoundAt => ({
  ...{ tick, commit: `r${tick}`, begun },
  cut: [[at, `c${at}`]],
});
const heard = (tick: number): Heard => ({
  ...NOTHING_HEARD,
  tick,
  commit: `c${tick}`,
  entries: tick,
  upTo: tick,
});

/** One that stands at a round. */
const stands = (at: RoundAt | null, next?: RoundAt): HeardOfRounds => ({
  ...NOTHING_HEARD,
  ...at,
  ...(next && { more: true, next }),
});

/** 1.0, which has taken 0.0 up to a commit and given a round there; 1.1 and 2.0, which follow its rounds. */
class Slots {
  readonly fenced: string[] = [];
  /** By tick the rounds that were given. */
  readonly given: string[] = [];
  commits = 0;
  /** How many commits 0.0 has made. */
  sent = 12;
  record: TaskRecord = {
    ...{ ...NO_TICK, tick: 7, commit: 'n7' },
    extra: {
      ...{ begun: BEGUN, exchange: [heard(6)] },
      sent: { [ROUNDS]: { tick: 7, commit: 'r7', entries: 7 } },
    },
  };

  constructor(
    readonly told: readonly (HeardOfRounds | null)[],
    /** The last commit of 1.0 of which 2.0 has an entry. */
    readonly known = 0,
  ) {}

  get lost(): LostRounds {
    const followers = [task(1, 1), task(2, 0)];
    const store = {
      sentKey: () => '',
      status: async (tasks: readonly TaskId[]): Promise<TaskStatus[]> =>
        tasks.map((of, index) => {
          const rounds = this.told[index]!;
          const heard = rounds && [{ ...NOTHING_HEARD, tick: this.known }, rounds];
          const record = heard && ({ extra: { exchange: heard } } as unknown as TaskRecord);
          return { task: of, owner: null, epoch: 1, parked: null, record };
        }),
      claim: async ({ stage, partition }: TaskId) => {
        this.fenced.push(`${stage}.${partition}`);
        return { token: { epoch: 2, nonce: '' } };
      },
      release: async () => {},
      receive: async ([{ after }]: [{ after: number }]) => {
        const entries = Array.from({ length: this.sent - after }, (_, index) => {
          const tick = after + index + 1;
          const said = { frontier: {}, clocks: {}, more: false, round: 0, rows: ['[]'] };
          return [`${tick}-0`, ['c', encodeEntry({ ...said, previous: `c${tick - 1}`, commit: `c${tick}` })]];
        });
        const last = { tick: this.sent, commit: `c${this.sent}`, entries: this.sent };
        return [{ record: { ...NO_TICK, tick: this.sent, extra: { sent: { 0: last } } }, entries }];
      },
    } as unknown as TaskStore;
    const news = { clock: { monotonicMs: () => 0 } } as NewsDesk;
    const sender = { task: task(0, 0), reads: new Set<string>() };
    const input = new ExchangeInput([sender], 0, ['x'], store, news, 1_000_000, 30_000);
    const sending = { options: { rounds: { followers: { tasks: followers } } } };
    const options = { id: task(1, 0), inputs: [input], store, sending, nonce: () => 'second' };
    return LostRounds.of(options as unknown as TaskOptions, this.#ticks())!;
  }

  #ticks(): Ticks {
    const commit = (exchange = heardIn(this.record)): void => {
      this.commits++;
      const tick = this.record.tick + 1;
      this.record = { ...this.record, tick, commit: `n${tick}`, extra: { ...this.record.extra, exchange } };
      const given = roundGivenBy(this.record);
      if (given === null) return;
      this.given.push(`${tick}: ${given.commit} at ${heardIn(this.record)![0]!.tick}`);
      this.record = withNextGiven(this.record);
    };
    const record = (): TaskRecord => this.record;
    return {
      get record() {
        return record();
      },
      positionOf: () => ({ position: '0-0', entries: 0 }),
      keep: (extra: TaskRecord['extra']) => (this.record = { ...this.record, extra }),
      passOver: async (upTo: number) => {
        this.record = { ...this.record, tick: Math.max(this.record.tick, upTo - 1) };
        commit();
      },
      ofTime: async () => commit(),
      take: async (_: unknown, batch: InputBatch) => commit(batch.noteAfter!(batch.size) as Heard[]),
    } as unknown as Ticks;
  }
}

describe('the rounds that 1.0 has lost', () => {
  const { signal } = new AbortController();

  it('are none where nobody stands at one that it has not given', async () => {
    const slots = new Slots([stands(round(7, 6)), null]);
    const { lost } = slots;
    await lost.find();
    await lost.makeAgain(signal);
    expect([slots.fenced, slots.given, givenAgain(slots.record)]).toEqual([[], [], null]);
    expect(slots.record.extra['begun']).toEqual([...BEGUN, [7, 'second']]);
  });

  it('are given again as they were where somebody stands, by commits of which nobody has heard', async () => {
    const slots = new Slots([stands(round(10, 10)), stands(round(8, 7), round(9, 9))], 11);
    const { lost } = slots;
    await lost.find();
    expect(slots.fenced).toEqual(['1.1', '2.0']);
    expect(givenAgain(slots.record)).toEqual({
      ...{ rounds: [round(8, 7), round(9, 9), round(10, 10)], upTo: 11 },
    });
    await lost.makeAgain(signal);
    expect(slots.given).toEqual(['12: r8 at 7', '13: r9 at 9', '14: r10 at 10']);
    expect(slots.commits).toBe(4);
    expect(givenAgain(slots.record)).toEqual({ rounds: [], upTo: 11 });
  });

  it('are given also where nothing is to be taken for them', async () => {
    const slots = new Slots([stands(round(9, 6)), stands(round(8, 6))]);
    const { lost } = slots;
    await lost.find();
    await lost.makeAgain(signal);
    expect(slots.given).toEqual(['10: r8 at 6', '11: r9 at 6']);
  });

  it('are gone on with by another owner, who fences nobody, and with those that were lost on the way', async () => {
    const told = [stands(round(10, 10)), stands(round(9, 9))];
    const slots = new Slots(told);
    await slots.lost.find();
    slots.fenced.length = 0;
    const another = slots.lost;
    await another.find();
    expect(slots.fenced).toEqual([]);
    told[0] = stands(round(14, 12));
    await another.find();
    expect(slots.fenced).toEqual(['1.1', '2.0']);
    await another.makeAgain(signal);
    expect(slots.given).toEqual(['15: r9 at 9', '16: r10 at 10', '17: r14 at 12']);
  });

  const other = { ...round(9, 9), commit: 'x9' };
  it.each<[string, (HeardOfRounds | null)[]]>([
    ['it is past where one was cut', [stands(round(9, 5)), null]],
    ['one was cut before another that it comes behind', [stands(round(9, 9)), stands(round(10, 8))]],
    ['there were two of one number', [stands(round(9, 9)), stands(other)]],
    ['nobody knows where it was cut', [{ ...NOTHING_HEARD, tick: 9, commit: 'r9' }, null]],
    ['an owner had begun where it has none', [stands(round(9, 9, [...BEGUN, [6, 'lost']])), null]],
  ])('park it where %s', async (_, told) => {
    const slots = new Slots(told);
    await expect(slots.lost.find()).rejects.toThrow(LogLost);
    expect(slots.given).toEqual([]);
  });

  it('park it where what they were made of is lost as well', async () => {
    const slots = new Slots([stands(round(9, 9)), null]);
    slots.sent = 8;
    const { lost } = slots;
    await lost.find();
    await expect(lost.makeAgain(signal)).rejects.toThrow(/followed {2}round 9/);
    expect(slots.given).toEqual([]);
  });

  it('are not given in the place of one before them, for which something was sent', async () => {
    const told = [stands(round(10, 10)), null] as (HeardOfRounds | null)[];
    const slots = new Slots(told);
    await slots.lost.find();
    told[1] = stands(round(9, 9));
    await expect(slots.lost.find()).rejects.toThrow(LogLost);
  });
});
