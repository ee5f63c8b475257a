import { encodeEntry, lastSent } from '../../src/runtime/exchange-entry.js';
import type { Heard } from '../../src/runtime/followed.js';
import { LogLost } from '../../src/runtime/input.js';
import { LostInRounds } from '../../src/runtime/lost-in-rounds.js';
import { madeAgain } from '../../src/runtime/made-again.js';
import type { ReceiveRequest, TaskRecord, TaskStatus } from '../../src/runtime/ports/task-store.js';
import { regainingIn } from '../../src/runtime/regaining.js';
import { encodeCut, ROUNDS } from '../../src/runtime/rounds.js';
import type { TaskId } from '../../src/runtime/task-id.js';
import type { TaskOptions } from '../../src/runtime/task-options.js';
import type { Ticks } from '../../src/runtime/ticks.js';

/** What was heard of a commit of 0.0: here a place is a time. */
const heard = (tick: number, at: number, more = false): Heard => ({
  ...{ tick, commit: `c${tick}`, entries: tick, upTo: tick, more },
  ...{ frontier: {}, clocks: { log: at } },
});

/** 0.0 with its record, those that receive of it, and the rounds that 1.0 has given. */
class Slots {
  readonly fenced: string[] = [];
  /** By tick which round was made, and what time it was after it. */
  readonly made: string[] = [];
  record = {
    ...{ tick: 5, commit: 'c5', positions: {}, frontier: {}, reaching: null, applied: null },
    ...{ extra: {}, clocks: { in: { log: 50 } } },
  } as unknown as TaskRecord;

  constructor(
    readonly told: (Heard | null)[],
    readonly rounds: { tick: number; cut: Heard }[] = [],
  ) {}

  get lost(): LostInRounds {
    const receivers = { tasks: this.told.map((_, partition) => this.#receiver(partition)) };
    const store = {
      status: async (tasks: readonly TaskId[]): Promise<TaskStatus[]> =>
        tasks.map((task) => {
          const one = this.told[task.partition]!;
          const record = one && ({ extra: { exchange: [one] } } as unknown as TaskRecord);
          return { task, owner: null, epoch: 1, parked: null, record };
        }),
      claim: async ({ stage, partition }: TaskId) => {
        this.fenced.push(`${stage}.${partition}`);
        return { token: { epoch: 2, nonce: '' } };
      },
      release: async () => {},
      receive: async ([{ sender, receiver, after }]: ReceiveRequest[]) => {
        expect([sender, receiver]).toEqual([this.#receiver(0), ROUNDS]);
        const entries = this.rounds.map(({ tick, cut }) => {
          const facts = { frontier: {}, clocks: cut.clocks, more: false };
          const text = encodeEntry({
            ...{ previous: '', commit: `r${tick}`, round: tick, ...facts },
            rows: [encodeCut([cut], facts.clocks)],
          });
          return [`${tick}-0`, ['c', text]];
        });
        return [{ record: null, entries: entries.filter(([id]) => parseInt(id as string) > after) }];
      },
    };
    const id: TaskId = { view: 'v', generation: 1, stage: 0, partition: 0 };
    const sending = { options: { receivers, rounds: { followers: null } } };
    const options = { id, inputs: [], store, sending } as unknown as TaskOptions;
    return LostInRounds.of(options, this.#ticks())!;
  }

  #receiver = (partition: number): TaskId => ({ view: 'v', generation: 1, stage: 1, partition });

  #ticks(): Ticks {
    const tick = (clocks = this.record.clocks): void => {
      this.record = { ...this.record, tick: this.record.tick + 1, clocks };
      this.made.push(
        `${this.record.tick}: ${madeAgain(this.record)?.round ?? '-'} at ${this.record.clocks['in']!['log']}`,
      );
    };
    const record = (): TaskRecord => this.record;
    return {
      get record() {
        return record();
      },
      keep: (extra: TaskRecord['extra']) => (this.record = { ...this.record, extra }),
      passOver: async (upTo: number) => {
        this.record = { ...this.record, tick: Math.max(this.record.tick, upTo - 1) };
        tick();
      },
      say: async () => tick(),
      ofTime: async () => {
        throw new Error('It waits for room, and receivers wait for it.');
      },
      passTime: async (clocks: TaskRecord['clocks']) => clocks !== this.record.clocks && tick(clocks),
    } as unknown as Ticks;
  }
}

describe('a task of the first stage where there are rounds', () => {
  const { signal } = new AbortController();

  it('makes nothing again where nobody has heard of more than it has', async () => {
    const slots = new Slots([heard(5, 50), heard(3, 30), null]);
    const { lost } = slots;
    await lost.find();
    await lost.makeAgain(signal);
    expect([slots.fenced, slots.made, slots.record.extra]).toEqual([[], [], {}]);
  });

  it('is cut where it was at each round and where 1.0 is, under numbers that nobody has heard of', async () => {
    const slots = new Slots(
      [heard(9, 90), heard(8, 80), heard(3, 30)],
      [
        { tick: 4, cut: heard(3, 30) },
        { tick: 6, cut: heard(7, 70) },
        { tick: 7, cut: heard(7, 70) },
        { tick: 8, cut: heard(8, 80) },
      ],
    );
    const { lost } = slots;
    await lost.find();
    expect(slots.fenced).toEqual(['1.0', '1.1', '1.2']);
    expect(regainingIn(slots.record)).toEqual({ 0: heard(9, 90) });
    await lost.makeAgain(signal);
    expect(slots.made).toEqual([
      ...['9: 6 at 50', '10: 6 at 70', '11: 8 at 80', '12: 9 at 90', '13: - at 90'],
    ]);
    expect(lastSent(slots.record, 0)).toEqual({ tick: 9, commit: 'c9', entries: 9 });
    expect(regainingIn(slots.record)).toEqual({});
    expect(madeAgain(slots.record)).toEqual({
      ...{ round: null, first: 4, last: { tick: 8, commit: 'r8' } },
      upTo: 9,
    });
  });

  it('goes on with what another owner began, and again above all numbers where its slot went back in that', async () => {
    const slots = new Slots([heard(9, 90), null], [{ tick: 8, cut: heard(8, 80) }]);
    await slots.lost.find();
    slots.record = { ...slots.record, tick: 11, clocks: { in: { log: 80 } } };
    const another = slots.lost;
    slots.fenced.length = 0;
    await another.find();
    expect(slots.fenced).toEqual([]);
    expect(madeAgain(slots.record)).toMatchObject({ round: 9, upTo: 9 });
    // Somebody has read of it what it does not have any more.
    slots.told[1] = heard(14, 80);
    await another.find();
    expect(slots.fenced).toEqual(['1.0', '1.1']);
    expect(madeAgain(slots.record)).toMatchObject({ round: 9, upTo: 14 });
    await another.makeAgain(signal);
    expect(slots.made.at(-2)).toBe('15: 9 at 90');
  });

  it('is in the middle of what leads to a place that says no more of logs and time than the one before', async () => {
    const read = (tick: number) => ({ read: { 'view:u': { tick, commit: `u${tick}` } } });
    const giver = { ...heard(9, 50), ...read(9) };
    const found = async (applied: object | null): Promise<number | null | undefined> => {
      const slots = new Slots(
        [giver],
        [
          { tick: 6, cut: { ...heard(4, 50), ...read(6) } },
          { tick: 7, cut: { ...heard(5, 50), ...read(7) } },
          { tick: 8, cut: { ...heard(6, 50), ...read(8) } },
        ],
      );
      const position = { position: '7-0', entries: 7 };
      slots.record = {
        ...slots.record,
        applied: applied as TaskRecord['applied'],
        positions: { 'view:u': position },
        extra: { 'view:u': { commit: 'u7', more: false, snapshot: null } },
      };
      await slots.lost.find();
      return madeAgain(slots.record)?.round;
    };
    expect(await found(null)).toBe(8);
    // What is left of it belongs to the round that it leads to.
    expect(await found({ in: { log: 50 } })).toBe(7);
  });

  it.each([
    ['1.0 has half of what came at once', [heard(9, 90, true)]],
    ['1.0 is at a place that the task is past', [heard(9, 40)]],
    ['others have what 1.0 has not', [heard(5, 50), heard(8, 80)]],
  ])('parks where %s', async (_, told) => {
    const slots = new Slots(told);
    await expect(slots.lost.find()).rejects.toThrow(LogLost);
    expect(slots.made).toEqual([]);
  });
});
