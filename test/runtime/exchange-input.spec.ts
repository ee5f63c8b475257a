import { encodeEntry } from '../../src/runtime/exchange-entry.js';
import { ExchangeInput } from '../../src/runtime/exchange-input.js';
import { type InputBatch, LogLost } from '../../src/runtime/input.js';
import type { Received, TaskStore } from '../../src/runtime/ports/task-store.js';

/** Senders as their slots say they are. */
class Senders {
  readonly of: { record: Received['record']; entries: [string, string[]][] }[] = [];

  sends(
    sender: number,
    tick: number,
    said: {
      rows?: string;
      previous?: string;
      commit?: string;
      frontier?: object;
      clocks?: object;
      more?: boolean;
    } = {},
  ): void {
    const { rows, previous = '', commit = `c${tick}`, frontier = {}, clocks = {}, more = false } = said;
    const facts = { frontier: frontier as Record<string, string>, clocks: clocks as Record<string, number> };
    const known = (this.of[sender] ??= { record: null, entries: [] });
    const before = (known.record?.extra['sent'] as object | undefined) ?? {};
    const sent = rows === undefined ? before : { 0: { tick, commit, entries: 0 } };
    if (rows !== undefined)
      known.entries.push([
        `${tick}-0`,
        ['c', encodeEntry({ ...facts, previous, commit, more, round: 0, rows: [rows] })],
      ]);
    known.record = {
      tick,
      positions: {},
      frontier: facts.frontier,
      clocks: { in: facts.clocks },
      applied: null,
      extra: { sent },
    };
  }

  get store(): TaskStore {
    return {
      sentKey: () => '',
      receive: async (requests: { after: number; countMax: number }[]) =>
        requests.map(({ after, countMax }, index) => {
          const { record, entries } = this.of[index] ?? { record: null, entries: [] };
          return {
            record,
            entries: entries.filter(([id]) => Number(id.split('-')[0]) > after).slice(0, countMax),
          };
        }),
    } as unknown as TaskStore;
  }
}

const task = (partition: number) => ({ view: 'v', generation: 1, stage: 0, partition });
const START = { position: '0-0', entries: 0 };
const row = (id: string, weight = 1): string => JSON.stringify([[weight, { id }]]);

let senders: Senders;
let input: ExchangeInput;
let now: number;
const reading = (regainMs: number, entriesMax?: number): ExchangeInput =>
  new ExchangeInput(
    [new Set(['s:0']), new Set(['s:1'])].map((keys, partition) => ({ task: task(partition), reads: keys })),
    0,
    ['exchange:0'],
    senders.store,
    { clock: { monotonicMs: () => now } } as never,
    1_000_000,
    regainMs,
    entriesMax,
  );
beforeEach(() => {
  senders = new Senders();
  now = 0;
  input = reading(0);
});
const clocks = { 's:0': null, 's:1': null };
const next = (note: unknown = undefined) => input.next(START, note, clocks);
const taken = (batch: InputBatch | null) =>
  batch && {
    ids: batch.inputs!(0, batch.size)
      .get('exchange:0')!
      .rows.map(({ id }) => id),
    frontier: batch.frontierAfter(batch.size),
    clocks: batch.clocksAfter!(batch.size),
  };

describe('what is received', () => {
  it('is what all senders have, and contains of each log what its reader does', async () => {
    expect(await next()).toBeNull();
    senders.sends(0, 1, { rows: row('a'), frontier: { 's:0': '5-0' }, clocks: { 's:0': 10, 's:1': 3 } });
    senders.sends(1, 4, { rows: row('b'), frontier: { 's:1': '7-0' }, clocks: { 's:0': 2, 's:1': 20 } });
    expect(taken(await next())).toEqual({
      ids: ['a', 'b'],
      frontier: { 's:0': '5-0', 's:1': '7-0' },
      clocks: { 's:0': 2, 's:1': 3 },
    });
  });

  it('is taken in turn: one entry of a sender is not behind all that another has sent', async () => {
    for (const tick of [1, 2, 3])
      senders.sends(0, tick, { rows: row(`a${tick}`), previous: tick === 1 ? '' : `c${tick - 1}` });
    senders.sends(1, 4, { rows: row('b') });
    expect(taken(await next())!.ids).toEqual(['a1', 'b', 'a2', 'a3']);
  });

  it('is of each sender no more at a time than may be', async () => {
    for (const tick of [1, 2, 3])
      senders.sends(0, tick, { rows: row(`a${tick}`), previous: tick === 1 ? '' : `c${tick - 1}` });
    input = reading(0, 2);
    expect(taken(await next())!.ids).toEqual(['a1', 'a2']);
  });

  it('knows of time nothing before all senders have told', async () => {
    senders.sends(0, 1, { rows: row('a'), frontier: { 's:0': '5-0' }, clocks: { 's:0': 10, 's:1': 3 } });
    expect(taken(await next())).toEqual({ ids: ['a'], frontier: { 's:0': '5-0' }, clocks });
  });

  it('goes on from what was read, entry by entry, and takes over what a quiet sender says', async () => {
    senders.sends(0, 1, { rows: row('a'), frontier: { 's:0': '1-0' } });
    senders.sends(0, 2, { rows: row('b'), previous: 'c1', frontier: { 's:0': '2-0' } });
    const first = (await next())!;
    expect(first.size).toBe(2);
    expect(first.frontierAfter(1)).toEqual({ 's:0': '1-0' });
    expect(taken(await next(first.noteAfter!(1)))!.ids).toEqual(['b']);
    const all = first.noteAfter!(2);
    expect(await next(all)).toBeNull();
    senders.sends(0, 3, { frontier: { 's:0': '9-0' } });
    const quiet = await next(all);
    expect(taken(quiet)).toMatchObject({ ids: [], frontier: { 's:0': '9-0' } });
    expect(await next(quiet!.noteAfter!(1))).toBeNull();
    senders.sends(0, 5, { rows: row('c'), previous: 'c2', frontier: { 's:0': '12-0' } });
    expect(taken(await next(quiet!.noteAfter!(1)))!.ids).toEqual(['c']);
  });

  it('is refused where it does not follow what was read', async () => {
    senders.sends(0, 1, { rows: row('a') });
    const note = (await next())!.noteAfter!(1);
    senders.of[0]!.entries.push([
      '3-0',
      [
        'c',
        encodeEntry({
          frontier: {},
          clocks: {},
          more: false,
          previous: 'other',
          commit: 'c3',
          round: 0,
          rows: [row('x')],
        }),
      ],
    ]);
    await expect(next(note)).rejects.toThrow(LogLost);
  });

  it('is refused where the sender does not know of what was read, or knows of more than is there', async () => {
    senders.sends(0, 1, { rows: row('a') });
    senders.sends(0, 2, { rows: row('b'), previous: 'c1' });
    const note = (await next())!.noteAfter!(2);
    // Its slot went back, and it made another second tick.
    senders.of[0] = { record: null, entries: [] };
    senders.sends(0, 2, { rows: row('z'), previous: 'c1', commit: 'other' });
    await expect(next(note)).rejects.toThrow(/does not follow what was received/);
    // What was not read was trimmed.
    senders.of[0] = { record: null, entries: [] };
    senders.sends(0, 4, { rows: row('d'), previous: 'c2' });
    senders.of[0]!.entries.length = 0;
    await expect(next(note)).rejects.toThrow(LogLost);
  });

  it.each([
    ['everything', () => (senders.of[0] = { record: null, entries: [] })],
    ['its last tick', () => senders.sends(0, 1, { rows: row('a') })],
  ])(
    'is waited for where the sender lost %s, as long as it commits nothing, and then for regainMs',
    async (_, past) => {
      input = reading(1_000);
      senders.sends(0, 1, { rows: row('a') });
      senders.sends(0, 3, { rows: row('b'), previous: 'c1' });
      const note = (await next())!.noteAfter!(2);
      senders.of[0] = { record: null, entries: [] };
      past();
      for (; now < 10_000; now += 500) expect(await next(note)).toBeNull();
      // Somebody has taken it up, and does not know yet.
      senders.of[0]!.record = { ...senders.of[0]!.record, tick: 2, extra: {} } as never;
      senders.of[0]!.entries = [];
      for (const end = now + 1_000; now < end; now += 500) expect(await next(note)).toBeNull();
      await expect(next(note)).rejects.toThrow(/does not follow what was received/);
    },
  );

  it('takes no word of a sender that makes again what we had', async () => {
    senders.sends(0, 1, { rows: row('a'), frontier: { 's:0': '1-0' } });
    const note = (await next())!.noteAfter!(1);
    senders.sends(0, 2, { frontier: { 's:0': '9-0' } });
    const { record } = senders.of[0]!;
    const regaining = { ...record!, extra: { ...record!.extra, regaining: { 0: {} } } };
    senders.of[0]!.record = regaining;
    expect(await next(note)).toBeNull();
    senders.of[0]!.record = record;
    expect(taken(await next(note))).toMatchObject({ ids: [], frontier: { 's:0': '9-0' } });
  });

  it('is of no earlier place than its sender said last, where that makes again what it lost', async () => {
    senders.sends(0, 1, { rows: row('a'), frontier: { 's:0': '5-0' } });
    const note = (await next())!.noteAfter!(1);
    senders.sends(0, 2, { frontier: { 's:0': '4-0' } });
    expect(await next(note)).toBeNull();
    senders.sends(0, 3, { frontier: { 's:0': '6-0' } });
    expect(taken(await next(note))).toMatchObject({ ids: [], frontier: { 's:0': '6-0' } });
    senders.sends(0, 4, { rows: row('b'), previous: 'c1', frontier: { 's:0': '4-0' } });
    await expect(next(note)).rejects.toThrow(LogLost);
  });

  it('says which rows were late', async () => {
    senders.sends(0, 1, {
      rows: JSON.stringify([
        [1, { id: 'a' }],
        [2, { id: 'b' }, 77],
      ]),
    });
    const batch = (await next())!;
    const delta = batch.inputs!(0, 1).get('exchange:0')!;
    expect([delta.weights, delta.lates]).toEqual([
      [1, 2],
      [-Infinity, 77],
    ]);
  });
});
