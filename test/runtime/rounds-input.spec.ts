import { encodeEntry } from '../../src/runtime/exchange-entry.js';
import type { RoundAt } from '../../src/runtime/given-again.js';
import { LogLost } from '../../src/runtime/input.js';
import type { NewsDesk } from '../../src/runtime/news-desk.js';
import type { CommitId, Received, ReceiveRequest, TaskStore } from '../../src/runtime/ports/task-store.js';
import { ROUNDS } from '../../src/runtime/rounds.js';
import { RoundsInput } from '../../src/runtime/rounds-input.js';
import { rowsOf } from '../support/received-rows.js';

const RECEIVER = 2;
const NO_FACTS = { frontier: {}, clocks: {}, more: false };
const task = (partition: number) => ({ view: 'v', generation: 1, stage: 1, partition });

type Entry = [string, string[]];
const entryOf = (tick: number, said: object): Entry => [
  `${tick}-0`,
  ['c', encodeEntry({ ...NO_FACTS, previous: '', commit: `c${tick}`, round: 0, rows: [], ...said })],
];

type Sent = [tick: number, round: number, row: string];
const entriesOf = (sent: readonly Sent[], history: string): Entry[] =>
  sent.map(([tick, round, row], index) => {
    const previous = index === 0 ? '' : `${history}${sent[index - 1]![0]}`;
    const rows = [JSON.stringify([[1, { row }]])];
    return entryOf(tick, { previous, commit: `${history}${tick}`, round, rows });
  });
/** What a sender says of the last entry that it has sent. */
const lastOf = (sent: readonly Sent[], history: string) => {
  const last = sent.at(-1);
  if (last === undefined) return { tick: 0, commit: '', entries: 0 };
  return { tick: last[0], commit: `${history}${last[0]}`, entries: sent.length };
};

/** 1.0, which gives rounds, and 1.1, which follows them: as their slots say they are. */
class Slots {
  readonly rounds: Entry[] = [];
  #given: CommitId & { entries: number } = { tick: 0, commit: '', entries: 0 };
  follower: { record: Received['record']; entries: Entry[] } = { record: null, entries: [] };
  /** What was asked for, of whom and after what. */
  readonly asked: string[] = [];

  /** A round; one that is given again is of another number than the commit that says it. */
  round(by: number, tick = by, commit = `r${tick}`): void {
    const cut = JSON.stringify([[by, `c${by}`, {}, {}]]);
    this.rounds.push(
      entryOf(by, { previous: this.#given.commit, commit, round: tick, rows: [cut, '[[0,"b"]]'] }),
    );
    this.#given = { tick, commit, entries: this.rounds.length };
  }

  /** What happens once the first page of what 1.1 has sent was read. */
  behindPage: () => void = () => {};
  trimFollower(before: number): void {
    this.follower.entries = this.follower.entries.filter(([id]) => parseInt(id) >= before);
  }

  /** What 1.0 has sent beside rounds, and in which history. */
  sent: readonly [sent: readonly Sent[], history: string] = [[], ''];

  /** What 1.0 says that it has still to give again. */
  left: readonly RoundAt[] = [];

  /** The rounds are given otherwise from here on. */
  goBack(): void {
    this.rounds.length = 0;
    this.#given = { tick: 0, commit: '', entries: 0 };
  }

  /** What 1.1 has sent, `[tick, round, row]`, and at which round it is. */
  follows(sent: Sent[], at: number, commit = `r${at}`, history = 'c'): void {
    const heard = { tick: at, commit, entries: at, upTo: 0, ...NO_FACTS };
    const last = lastOf(sent, history);
    const extra = { sent: { [RECEIVER]: last }, exchange: [heard] };
    this.follower = {
      record: { tick: last.tick, positions: {}, frontier: {}, clocks: {}, applied: null, extra },
      entries: entriesOf(sent, history),
    };
  }

  get store(): TaskStore {
    const giver = (): Received['record'] => ({
      ...{ tick: this.#given.tick, positions: {}, frontier: {}, clocks: {}, applied: null },
      extra: {
        sent: { [ROUNDS]: this.#given, [RECEIVER]: lastOf(...this.sent) },
        givenAgain: { rounds: this.left, upTo: 0 },
      },
    });
    const receive = ({ sender, receiver, after, countMax }: ReceiveRequest): Received => {
      this.asked.push(`1.${sender.partition} ${receiver} after ${after}`);
      const [record, entries] =
        sender.partition === 1
          ? [this.follower.record, this.follower.entries]
          : [giver(), receiver === ROUNDS ? this.rounds : entriesOf(...this.sent)];
      const found = entries.filter(([id]) => parseInt(id) > after).slice(0, countMax);
      if (sender.partition === 1 && after === 0) this.behindPage();
      return { record, entries: found };
    };
    return {
      sentKey: () => '',
      receive: async (requests: ReceiveRequest[]) => requests.map(receive),
    } as unknown as TaskStore;
  }
}

let slots: Slots;
let input: RoundsInput;
let now: number;
beforeEach(() => {
  slots = new Slots();
  now = 0;
  input = new RoundsInput(
    task(0),
    [task(0), task(1)],
    RECEIVER,
    ['x'],
    slots.store,
    { clock: { monotonicMs: () => now } } as NewsDesk,
    1_000_000,
    30_000,
  );
});
const next = (note: unknown = undefined) => input.next({ position: '0-0', entries: 0 }, note);
/** What is kept after all that there is, or after so many parts. */
const kept = async (parts?: number): Promise<unknown> => {
  const batch = (await next())!;
  return batch.noteAfter!(parts ?? batch.size);
};

describe('what is received round by round', () => {
  it('is all that belongs to the rounds that are over, in their order', async () => {
    expect(await next()).toBeNull();
    slots.round(5);
    slots.round(8);
    slots.follows(
      [
        [2, 5, 'a'],
        [3, 6, 'b'],
      ],
      5,
    );
    expect(rowsOf(await next())).toEqual(['a']);
    slots.follows(
      [
        [2, 5, 'a'],
        [3, 6, 'b'],
        [4, 8, 'c'],
      ],
      8,
    );
    expect(rowsOf(await next())).toEqual(['a', 'b', 'c']);
    expect(rowsOf(await next(await kept()))).toBeNull();
  });

  describe('where the slot of a sender went back', () => {
    beforeEach(() => {
      for (const round of [5, 8, 9]) slots.round(round);
      slots.follows(
        [
          [2, 5, 'a'],
          [3, 6, 'b'],
          [4, 8, 'c'],
          [5, 9, 'd'],
        ],
        9,
      );
    });

    it('goes on behind the round at which the receiver stands, however what is made again is cut', async () => {
      const note = await kept();
      slots.round(12);
      slots.follows(
        [
          [2, 5, 'a'],
          [3, 8, 'bc'],
          [4, 9, 'd'],
          [5, 12, 'e'],
        ],
        12,
        'r12',
        'x',
      );
      const batch = (await next(note))!;
      expect(rowsOf(batch)).toEqual(['e']);
      // It follows the other history from then on.
      slots.round(13);
      slots.follows(
        [
          [2, 5, 'a'],
          [3, 8, 'bc'],
          [4, 9, 'd'],
          [5, 12, 'e'],
          [6, 13, 'f'],
        ],
        13,
        'r13',
        'x',
      );
      expect(batch.noteAfter!(batch.size)).toMatchObject([{}, { tick: 5, commit: 'x5', entries: 4 }, {}]);
      expect(rowsOf(await next(batch.noteAfter!(batch.size)))).toEqual(['f']);
    });

    it('is waited for while it makes again what the receiver has', async () => {
      const note = await kept();
      slots.round(12);
      for (const at of [5, 8, 9]) {
        slots.follows([[2, 5, 'a']], at, `r${at}`, 'x');
        expect(await next(note)).toBeNull();
      }
      slots.follower = { record: null, entries: [] };
      expect(await next(note)).toBeNull();
    });

    it('is passed over where what is made again follows what the receiver has', async () => {
      slots.follows([[2, 5, 'a']], 9);
      const note = await kept();
      slots.round(12);
      slots.follows(
        [
          [2, 5, 'a'],
          [3, 8, 'comes'],
          [4, 8, 'goes'],
          [5, 12, 'e'],
        ],
        12,
      );
      expect(rowsOf(await next(note))).toEqual(['e']);
    });

    it('is gone on with in the middle of a round where all is had of the sender, or nothing', async () => {
      slots.sent = [[[3, 8, '0']], 'g'];
      const [none, all] = [await kept(3), await kept(5)];
      expect(none).toMatchObject([
        { tick: 3 },
        { tick: 2 },
        { tick: 5, next: { tick: 8 }, taken: [0, true] },
      ]);
      expect(all).toMatchObject([{ tick: 3 }, { tick: 4 }, { tick: 5, next: { tick: 8 }, taken: [1, true] }]);
      slots.follows(
        [
          [2, 5, 'a'],
          [3, 8, 'bc'],
          [4, 9, 'd'],
        ],
        9,
        'r9',
        'x',
      );
      expect(rowsOf(await next(none))).toEqual(['bc', 'd']);
      expect(rowsOf(await next(all))).toEqual(['d']);
    });

    it('is refused in the middle of a round where some is had of the sender: some of it would count twice', async () => {
      const note = await kept(3);
      expect(note).toMatchObject([{}, { tick: 3 }, { tick: 5, more: true }]);
      slots.follows(
        [
          [2, 5, 'a'],
          [3, 8, 'bc'],
          [4, 9, 'd'],
        ],
        9,
        'r9',
        'x',
      );
      await expect(next(note)).rejects.toThrow(LogLost);
    });

    it('is found also where what lies before the round is trimmed while it is read', async () => {
      const note = await kept();
      slots.round(12);
      const entries = Array.from({ length: 60 }, (_, index): [number, number, string] => [
        2 + index,
        9,
        'again',
      ]);
      slots.follows([...entries, [70, 12, 'e']], 12, 'r12', 'x');
      slots.behindPage = () => slots.trimFollower(61);
      expect(rowsOf(await next(note))).toEqual(['e']);
      // What is wanted may be trimmed no more than where it is read at once.
      slots.follows([...entries, [70, 12, 'e'], [71, 12, 'f']], 12, 'r12', 'x');
      slots.behindPage = () => slots.trimFollower(71);
      await expect(next(note)).rejects.toThrow(LogLost);
    });

    it('is found also where it goes back once more while that is read', async () => {
      const note = await kept();
      slots.round(12);
      const entries = Array.from({ length: 60 }, (_, index): Sent => [2 + index, 9, 'again']);
      slots.follows([...entries, [70, 12, 'lost']], 12, 'r12', 'x');
      slots.behindPage = () => {
        slots.behindPage = () => {};
        slots.follows(
          [
            [2, 9, 'once more'],
            [3, 12, 'e'],
          ],
          12,
          'r12',
          'y',
        );
      };
      expect(rowsOf(await next(note))).toEqual(['e']);
    });

    it('is found where more lies behind it than is read at once, and the rest is read from there', async () => {
      const note = await kept();
      slots.round(12);
      const behind = Array.from({ length: 25 }, (_, index): Sent => [10 + index, 12, `${index}`]);
      slots.follows([[2, 9, 'again'], ...behind], 12, 'r12', 'x');
      const first = (await next(note))!;
      expect(first.size).toBe(20);
      const rest = (await next(first.noteAfter!(first.size)))!;
      expect([...rowsOf(first)!, ...rowsOf(rest)!]).toEqual(behind.map(([, , row]) => row));
      expect(rest.noteAfter!(rest.size)).toMatchObject([{}, { tick: 34, entries: 26 }, { tick: 12 }]);
    });

    it('is refused where what lies behind the round may have been trimmed', async () => {
      const note = await kept();
      slots.round(12);
      slots.follows(
        [
          [2, 5, 'a'],
          [3, 9, 'bcd'],
          [4, 10, 'e'],
          [5, 12, 'f'],
        ],
        12,
        'r12',
        'x',
      );
      slots.follower.entries.splice(0, 1);
      expect(rowsOf(await next(note))).toEqual(['e', 'f']);
      slots.follower.entries.splice(0, 1);
      await expect(next(note)).rejects.toThrow(LogLost);
      slots.follower.entries.length = 0;
      await expect(next(note)).rejects.toThrow(LogLost);
    });
  });

  describe('where 1.0 lost rounds', () => {
    const sent: [number, number, string][] = [
      [2, 5, 'a'],
      [3, 6, 'b'],
      [4, 8, 'c'],
      [5, 9, 'd'],
    ];
    const left: RoundAt = { tick: 9, commit: 'r9', cut: [], begun: [] };
    let at5: unknown;
    let at9: unknown;
    beforeEach(async () => {
      slots.round(5);
      slots.follows(sent, 9);
      for (const round of [8, 9]) slots.round(round);
      [at5, at9] = [await kept(2), await kept()];
      slots.goBack();
      slots.round(5);
    });

    it('keeps where the round was cut at which it stands, and the one of which it has taken some', async () => {
      const round = (tick: number) => ({ cut: [[tick, `c${tick}`]], begun: [[0, 'b']] });
      expect(at5).toMatchObject([{}, {}, { tick: 5, commit: 'r5', more: false, ...round(5) }]);
      expect(at9).toMatchObject([{}, {}, { tick: 9, commit: 'r9', more: false, ...round(9) }]);
      expect((at9 as object[])[2]).not.toHaveProperty('next');
      slots.round(9);
      expect(await kept(3)).toMatchObject([
        {},
        {},
        { tick: 5, more: true, ...round(5), next: { tick: 9, commit: 'r9', ...round(9) } },
      ]);
    });

    it('waits for that at which it stands, and goes on behind it', async () => {
      expect(await next(at9)).toBeNull();
      slots.round(12, 9);
      expect(await next(at9)).toBeNull();
      slots.round(13);
      slots.follows([...sent, [6, 13, 'e']], 13);
      expect(rowsOf(await next(at9))).toEqual(['e']);
    });

    it('takes with it what was sent as of one that is given no more', async () => {
      slots.round(12, 9);
      const batch = (await next(at5))!;
      expect(rowsOf(batch)).toEqual(['b', 'c', 'd']);
      expect(batch.noteAfter!(batch.size)).toMatchObject([{}, {}, { tick: 9, commit: 'r9' }]);
    });

    it('goes on in the middle of one of which it has all that 1.0 sent, or nothing', async () => {
      slots.goBack();
      for (const round of [5, 8, 9]) slots.round(round);
      slots.sent = [
        [
          [8, 8, '0'],
          [9, 9, '1'],
        ],
        'g',
      ];
      const [none, all] = [await kept(2), await kept(3)];
      expect(all).toMatchObject([{ tick: 8 }, {}, { tick: 5, next: { tick: 8 }, taken: [0, true] }]);
      slots.goBack();
      slots.round(5);
      slots.sent = [[[11, 8, 'half']], 'x'];
      for (const at of [none, all]) expect(await next(at)).toBeNull();
      slots.round(12, 8);
      slots.round(13, 9);
      slots.sent = [
        [
          [11, 8, 'half'],
          [12, 8, 'and half'],
          [13, 9, '1'],
        ],
        'x',
      ];
      expect(rowsOf(await next(none))).toEqual(['half', 'and half', 'b', 'c', '1', 'd']);
      expect(rowsOf(await next(all))).toEqual(['b', 'c', '1', 'd']);
    });

    it('is refused in the middle of one that is given otherwise', async () => {
      slots.goBack();
      for (const round of [5, 8]) slots.round(round);
      slots.follows(sent.slice(0, 3), 8);
      const some = await kept(3);
      expect(some).toMatchObject([{}, {}, { tick: 5, next: { tick: 8 } }]);
      slots.goBack();
      slots.round(5);
      slots.round(8, 8, 'other');
      slots.follows(sent.slice(0, 3), 8, 'other');
      await expect(next(some)).rejects.toThrow(/1\.0 sent/);
    });

    it('reads on where more are given again than it asks for at once', async () => {
      for (let number = 6; number <= 8; number++) slots.round(100 + number, number, 'other');
      for (let again = 0; again < 100; again++) slots.round(200 + again, 8, 'other');
      slots.round(300, 9);
      slots.round(301);
      slots.follows([...sent, [6, 301, 'e']], 301);
      expect(rowsOf(await next(at9))).toEqual(['e']);
    });

    it('is refused where that at which it stands is not given again', async () => {
      slots.round(13);
      await expect(next(at9)).rejects.toThrow(LogLost);
    });

    it('is refused where 1.0 does not find out in time that it lost them', async () => {
      expect(await next(at9)).toBeNull();
      now += 30_000;
      // Nobody may have taken it up.
      expect(await next(at9)).toBeNull();
      slots.round(6);
      slots.left = [left];
      expect(await next(at9)).toBeNull();
      slots.left = [];
      // Somebody has, and does not know yet.
      expect(await next(at9)).toBeNull();
      now += 30_000;
      await expect(next(at9)).rejects.toThrow(LogLost);
    });
  });

  it('is nothing while a sender has a round that was not read yet, and is refused where that is no more', async () => {
    slots.round(5);
    slots.follows(
      [
        [2, 5, 'a'],
        [3, 8, 'b'],
      ],
      8,
      'lost',
    );
    expect(await next()).toBeNull();
    slots.round(8);
    await expect(next()).rejects.toThrow(/1\.1 sent/);
    slots.goBack();
    slots.round(9);
    await expect(next()).rejects.toThrow(/1\.1 sent/);
  });

  it('looks for the round of a sender that is far ahead', async () => {
    for (let round = 1; round <= 150; round++) slots.round(round);
    slots.follows(
      [
        [2, 1, 'a'],
        [3, 150, 'b'],
      ],
      150,
    );
    expect(rowsOf(await next())).toEqual(['a']);
    expect(slots.asked.at(-1)).toBe('1.0 -1 after 149');
    slots.follows(
      [
        [2, 1, 'a'],
        [3, 150, 'b'],
      ],
      150,
      'lost',
    );
    await expect(next()).rejects.toThrow(LogLost);
  });
});
