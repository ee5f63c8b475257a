import { decodeEntry, type ExchangeEntry, lastSent } from './exchange-entry.js';
import { nextGiven } from './given-again.js';
import type { CommitId, Received, TaskStore } from './ports/task-store.js';
import type { RegainWait } from './regain-wait.js';
import { followingIn, lostBy } from './received.js';
import { decodeRound, type Round, ROUNDS } from './rounds.js';
import type { TaskId } from './task-id.js';

/** Rounds one read asks for. */
export const ROUNDS_MAX = 100;

/** The rounds that follow another. */
export interface RoundsBehind {
  readonly rounds: readonly Round[];
  /** There are no more for now. */
  readonly isAll: boolean;
}

/**
 * The rounds that 1.0 says, to one that stands at one of them:
 *
 *     by commits      ──7──11──12──13──14──▶
 *     says rounds       7   8   9  10  14        `given-again.ts`
 *                                ▲
 *              who stands at 9 asks for what came after the commit 9, and passes over those up to its own
 */
export class RoundsSaid {
  constructor(
    readonly giver: TaskId,
    readonly store: TaskStore,
    /** For it to find out that it lost rounds. */
    readonly wait: RegainWait,
  ) {}

  /**
   * What follows the round at which we stand, as it was asked for; null where 1.0 has lost that, and gives it again.
   * @throws LogLost where it has another past
   */
  async after(heard: Readonly<CommitId>, { record, entries: raw }: Received): Promise<RoundsBehind | null> {
    const said = lastSent(record ?? NO_RECORD, ROUNDS);
    if (said.tick < heard.tick) {
      const isGivenAgain = record !== null && nextGiven(record) !== undefined;
      if (isGivenAgain || this.wait.goesOn(record?.tick ?? 0)) return null;
      throw lostBy(this.giver, heard);
    }
    this.wait.over();
    const entries: ExchangeEntry[] = [];
    let isPart: boolean;
    for (;;) {
      const page = raw.map(decodeEntry);
      isPart = page.length >= ROUNDS_MAX;
      entries.push(...page.filter(({ round }) => round > heard.tick));
      if (!isPart || entries.length > 0) break;
      [{ entries: raw }] = (await this.#read(page.at(-1)!.tick)) as [Received];
    }
    // They follow one another by their own numbers, whatever the commits are that say them.
    const numbered = entries.map((entry) => ({ ...entry, tick: entry.round }));
    const asked = { sender: this.giver, receiver: ROUNDS, heard };
    if (followingIn(numbered, isPart, record, asked) === null) throw lostBy(this.giver, heard);
    return { rounds: entries.map(decodeRound), isAll: !isPart };
  }

  /** A round that lies further ahead than was read. */
  async at(number: number): Promise<CommitId | undefined> {
    for (let after = number - 1; ;) {
      const [{ entries: raw }] = (await this.#read(after)) as [Received];
      const page = raw.map(decodeEntry);
      const found = page.find(({ round }) => round >= number);
      if (found !== undefined || page.length < ROUNDS_MAX)
        return found?.round === number ? decodeRound(found) : undefined;
      after = page.at(-1)!.tick;
    }
  }

  #read(after: number): Promise<Received[]> {
    return this.store.receive([{ sender: this.giver, receiver: ROUNDS, after, countMax: ROUNDS_MAX }]);
  }
}

const NO_RECORD = { extra: {} };
