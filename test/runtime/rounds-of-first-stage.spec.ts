import { encodeEntry } from '../../src/runtime/exchange-entry.js';
import type { Heard } from '../../src/runtime/followed.js';
import { LogLost } from '../../src/runtime/input.js';
import type { MadeAgain } from '../../src/runtime/made-again.js';
import type { Received, ReceiveRequest, TaskStore } from '../../src/runtime/ports/task-store.js';
import { encodeCut } from '../../src/runtime/rounds.js';
import { RoundsInput } from '../../src/runtime/rounds-input.js';
import { rowsOf } from '../support/received-rows.js';

const FACTS = { frontier: {}, clocks: {}, more: false };
const RECEIVER = 1;
const at = (tick: number, commit = `c${tick}`): Heard => ({ ...FACTS, tick, commit, entries: tick, upTo: 0 });
type Entry = [string, string[]];

/** 0.0, and 1.0 that gives rounds of it. */
class Slots {
  readonly #rounds: Entry[] = [];
  #given = '';
  #sender: { record: Received['record']; entries: Entry[] } = { record: null, entries: [] };

  /** A round that names a commit of 0.0. */
  round(tick: number, cut: Heard): void {
    const said = { ...FACTS, previous: this.#given, commit: `r${tick}`, round: tick };
    this.#rounds.push([`${tick}-0`, ['c', encodeEntry({ ...said, rows: [encodeCut([cut], {})] })]]);
    this.#given = `r${tick}`;
  }

  /** What 0.0 has sent, `[tick, round, row]`, and at which tick it is. */
  sends(tick: number, sent: [number, number, string][], made?: MadeAgain, history = 'c'): void {
    let last = { tick: 0, commit: '', entries: 0 };
    const entries = sent.map(([tick, round, row]): Entry => {
      const commit = `${tick <= 2 ? 'c' : history}${tick}`;
      const said = { ...FACTS, previous: last.commit, commit, round };
      last = { tick, commit, entries: last.entries + 1 };
      return [`${tick}-0`, ['c', encodeEntry({ ...said, rows: [JSON.stringify([[1, { row }]])] })]];
    });
    const extra = { sent: { [RECEIVER]: last }, ...(made && { madeAgain: made }) };
    this.#sender = {
      record: { tick, positions: {}, frontier: {}, clocks: {}, applied: null, extra },
      entries,
    };
  }

  /** Nothing is left of what was sent before a tick. */
  trim(tick: number): void {
    this.#sender.entries = this.#sender.entries.filter(([id]) => parseInt(id) >= tick);
  }

  get store(): TaskStore {
    const last = (): number => parseInt(this.#rounds.at(-1)?.[0] ?? '0');
    const given = () => ({ tick: last(), commit: this.#given, entries: this.#rounds.length });
    const giver = (): Received['record'] => ({
      ...{ tick: last(), positions: {}, frontier: {}, clocks: {}, applied: null },
      extra: { sent: { [-1]: given() } },
    });
    return {
      sentKey: () => '',
      receive: async (requests: ReceiveRequest[]): Promise<Received[]> =>
        requests.map(({ sender, after, countMax }) => {
          const { record, entries } =
            sender.stage === 0 ? this.#sender : { record: giver(), entries: this.#rounds };
          return { record, entries: entries.filter(([id]) => parseInt(id) > after).slice(0, countMax) };
        }),
    } as unknown as TaskStore;
  }
}

describe('what the first stage makes again, received round by round', () => {
  const first = 5;
  const last = { tick: 8, commit: 'r8' };
  let slots: Slots;
  let input: RoundsInput;
  const next = (note: unknown = undefined) => input.next({ position: '0-0', entries: 0 }, note);
  const kept = async (): Promise<unknown> => {
    const batch = (await next())!;
    return batch.noteAfter!(batch.size);
  };

  beforeEach(() => {
    slots = new Slots();
    const task = { view: 'v', generation: 1, partition: 0 };
    const sender = { ...task, stage: 0 };
    input = new RoundsInput(
      { ...task, stage: 1 },
      [sender],
      RECEIVER,
      ['x'],
      slots.store,
      null as never,
      1_000_000,
      30_000,
    );
    slots.round(5, at(4));
    slots.sends(4, [
      [2, 0, 'a'],
      [4, 0, 'b'],
    ]);
  });

  it('is waited for until the sender is behind the round at which the receiver stands', async () => {
    const note = await kept();
    slots.round(8, at(6));
    slots.sends(2, [[2, 0, 'a']]);
    expect(await next(note)).toBeNull();
    const again: [number, number, string][] = [
      [2, 0, 'a'],
      [7, 5, 'b'],
    ];
    slots.sends(7, again, { round: 5, first, last, upTo: 6 }, 'x');
    expect(await next(note)).toBeNull();
    slots.sends(8, [...again, [8, 8, 'c']], { round: 8, first, last, upTo: 6 }, 'x');
    expect(await next(note)).toBeNull();
    slots.sends(9, [...again, [8, 8, 'c'], [9, 9, 'd']], { round: 9, first, last, upTo: 6 }, 'x');
    expect(rowsOf(await next(note))).toEqual(['c']);
  });

  it('is taken with the next round where it is behind the last, also by who has nothing else of it', async () => {
    const note = await kept();
    slots.round(8, at(4));
    const again: [number, number, string][] = [
      [2, 0, 'a'],
      [7, 5, 'b'],
      [8, 9, 'c'],
      [10, 0, 'd'],
    ];
    slots.sends(10, again, { round: null, first, last, upTo: 6 }, 'x');
    const batch = (await next(note))!;
    expect(rowsOf(batch)).toEqual([]);
    // 1.0 has not heard of more since.
    slots.round(9, at(6, 'c6'));
    expect(rowsOf(await next(batch.noteAfter!(batch.size)))).toEqual(['c']);
    slots.round(11, at(10, 'x10'));
    expect(rowsOf(await next(batch.noteAfter!(batch.size)))).toEqual(['c', 'd']);
  });

  it('is known to be behind a round also where nothing was sent but what came later', async () => {
    const note = await kept();
    slots.round(11, at(10, 'x10'));
    const again: [number, number, string][] = [
      [2, 0, 'a'],
      [10, 0, 'd'],
    ];
    slots.sends(10, again, { round: null, first, last: { tick: 5, commit: 'r5' }, upTo: 6 }, 'x');
    expect(rowsOf(await next(note))).toEqual(['d']);
  });

  it('is passed over where it follows what the receiver has', async () => {
    slots.sends(4, [[2, 0, 'a']]);
    const note = await kept();
    slots.round(8, at(6));
    const again: [number, number, string][] = [
      [2, 0, 'a'],
      [7, 5, 'comes'],
      [8, 5, 'goes'],
      [9, 8, 'c'],
    ];
    slots.sends(9, again, { round: null, first, last, upTo: 6 }, 'x');
    expect(rowsOf(await next(note))).toEqual(['c']);
  });

  it('is refused where the sender has another past and made nothing again, or not where the receiver stands', async () => {
    const note = await kept();
    slots.round(8, at(6));
    const other: [number, number, string][] = [
      [2, 0, 'a'],
      [6, 0, 'c'],
    ];
    slots.sends(6, other, undefined, 'x');
    await expect(next(note)).rejects.toThrow(LogLost);
    slots.sends(6, other, { round: null, first: 4, last: { tick: 4, commit: 'r4' }, upTo: 1 }, 'x');
    await expect(next(note)).rejects.toThrow(LogLost);
    // What is said to be of round 8 is of the rounds before it as well.
    const again: [number, number, string][] = [
      [2, 0, 'a'],
      [7, 8, 'b and c'],
    ];
    slots.sends(8, again, { round: null, first: 8, last, upTo: 6 }, 'x');
    await expect(next(note)).rejects.toThrow(LogLost);
  });

  it('is refused where something before it was trimmed that the receiver has not', async () => {
    const note = await kept();
    slots.round(8, at(6));
    const sent: [number, number, string][] = [
      [2, 0, 'a'],
      [4, 0, 'b'],
      [5, 0, 'c'],
      [6, 0, 'd'],
      [8, 9, 'e'],
    ];
    slots.sends(9, sent, { round: null, first, last, upTo: 7 });
    slots.trim(6);
    await expect(next(note)).rejects.toThrow(LogLost);
  });

  it('is refused where it was made of rounds that are no more', async () => {
    const note = await kept();
    slots.round(8, at(6));
    const again: [number, number, string][] = [
      [2, 0, 'a'],
      [7, 5, 'b'],
      [8, 8, 'c'],
    ];
    slots.sends(9, again, { round: null, first, last: { tick: 8, commit: 'lost' }, upTo: 6 }, 'x');
    await expect(next(note)).rejects.toThrow(LogLost);
  });
});
