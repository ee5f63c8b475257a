import type { Heard } from '../../src/runtime/followed.js';
import type { TaskRecord, TaskStore } from '../../src/runtime/ports/task-store.js';
import { Receivers } from '../../src/runtime/receivers.js';
import { ROUNDS } from '../../src/runtime/rounds.js';
import { Sending } from '../../src/runtime/sending.js';
import { NO_TICK } from '../../src/runtime/tick.js';
import { HandClock } from '../support/hand-clock.js';

const TASK = { view: 'v', generation: 1, stage: 1, partition: 1 };
const RECEIVER = { ...TASK, stage: 2, partition: 0 };
const FACTS = { frontier: {}, clocks: {}, more: false, upTo: 0 };
const heard = (tick: number, entries = tick): Heard => ({ ...FACTS, tick, commit: `c${tick}`, entries });

/** Whether there is room for a task at a round, which has sent so many entries, behind a receiver at another that has counted so many. */
async function hasRoom(
  sender: { round: number; sent: number },
  receiver: { round: number; counted: number },
): Promise<boolean> {
  // Of two senders, and last of the task that gives the rounds.
  const records: Record<string, TaskRecord> = {
    receiver: {
      ...NO_TICK,
      extra: { exchange: [heard(0), heard(receiver.counted), heard(receiver.round)] },
    },
    sender: {
      ...NO_TICK,
      tick: 50,
      extra: {
        exchange: [heard(0), heard(sender.round)],
        sent: { 0: { tick: 50, commit: 'c50', entries: sender.sent } },
      },
    },
  };
  const store = {
    status: async () => [{ record: records['receiver'] }],
  } as unknown as TaskStore;
  const clock = new HandClock();
  const receivers = new Receivers([RECEIVER], store, clock, { everyMs: 0, keepMs: 0 });
  const limits = { exchangeEntriesMax: 10, readerReportMs: 0 };
  const sending = new Sending(TASK, { receivers, rounds: { followers: null } }, limits, clock);
  const stop = new AbortController();
  let waited = false;
  await sending.room(records['sender']!, async () => ((waited = true), stop.abort()), stop.signal);
  return !waited;
}

describe('a task that follows rounds, and sends', () => {
  it('waits for a receiver that has as much left to read as it may', async () => {
    expect(await hasRoom({ round: 8, sent: 24 }, { round: 5, counted: 14 })).toBe(false);
    expect(await hasRoom({ round: 8, sent: 24 }, { round: 5, counted: 15 })).toBe(true);
  });

  it('does not wait for one that stands at its round: it has all, whatever it counted of what was sent before that was made again', async () => {
    expect(await hasRoom({ round: 8, sent: 24 }, { round: 8, counted: 4 })).toBe(true);
  });
});

describe('the task that gives rounds', () => {
  /** Whether there is room for another round behind followers that have read so many of ten. */
  async function hasRoomBehind(...read: number[]): Promise<boolean> {
    const clock = new HandClock();
    const giver = { ...TASK, partition: 0 };
    const record = {
      ...NO_TICK,
      tick: 10,
      extra: { sent: { [ROUNDS]: { tick: 10, commit: 'c10', entries: 10 } } },
    };
    const followers = read.map((rounds) => ({
      record: { ...NO_TICK, extra: { exchange: [heard(0), heard(rounds)] } },
    }));
    const stored = (statuses: unknown[]): TaskStore =>
      ({ status: async () => statuses }) as unknown as TaskStore;
    const options = { everyMs: 0, keepMs: 0 };
    const receivers = new Receivers([RECEIVER], stored([{ record: NO_TICK }]), clock, options);
    const sending = new Sending(
      giver,
      { receivers, rounds: { followers: new Receivers([RECEIVER], stored(followers), clock, options) } },
      { exchangeEntriesMax: 1_000, readerReportMs: 0 },
      clock,
    );
    const stop = new AbortController();
    let waited = false;
    await sending.room(record, async () => ((waited = true), stop.abort()), stop.signal);
    return !waited;
  }

  it('waits for whoever is two rounds behind: what comes now would be shown after all of these', async () => {
    expect(await hasRoomBehind(10, 9)).toBe(true);
    expect(await hasRoomBehind(10, 8)).toBe(false);
  });
});
