import type { PartitionClocks } from './clocks.js';
import type { ExchangeEntry } from './exchange-entry.js';
import { EXCHANGE, type Heard } from './followed.js';
import type { Frontier } from './frontier.js';
import type { InputBatch, TaskInput } from './input.js';
import { madeAgain, wasCutAt } from './made-again.js';
import type { NewsDesk } from './news-desk.js';
import type { CommitId, InputPosition, Received, TaskStore } from './ports/task-store.js';
import { passingOver, type PlaceByRound, placeByRound } from './place-by-round.js';
import { BEGINNING } from './position.js';
import { QuietSenders } from './quiet-senders.js';
import {
  type Asked,
  EntriesAsked,
  following,
  type Following,
  lostBy,
  NOTHING_HEARD,
  withEntry,
} from './received.js';
import { ReceivedBatch } from './received-batch.js';
import { RegainWait } from './regain-wait.js';
import {
  followedRounds,
  givesRounds,
  hadOf,
  type HeardOfRounds,
  type Round,
  roundAt,
  ROUNDS,
  roundsDone,
} from './rounds.js';
import { ROUNDS_MAX, type RoundsBehind, RoundsSaid } from './rounds-said.js';
import type { TaskId } from './task-id.js';

/**
 * What all tasks of the stage before send to one task, round by round:
 *
 *     rounds     ──────────(5)──────────(8)──▶
 *     sender 0   ──[5]──────────[8]──────────▶      is taken as   [5] [5] (5) [8] [8] [8] (8)
 *     sender 1   ──[5]──────────[8]─[8]──────▶
 *
 * A tick ends with a round, and takes no more than one. Where one is more than a tick may write it is spread over several, and
 * what they leave is of no frontier before its end has come.
 *
 * What is kept of the rounds is kept like what is kept of a sender, behind those: `tick` is the last that is over, `more` that
 * some of the next one was taken.
 */
export class RoundsInput implements TaskInput {
  readonly name = EXCHANGE;
  readonly beginning: InputPosition = { position: BEGINNING, entries: 0 };
  readonly #asked: EntriesAsked;
  /** For whose commit to wait, and the one that the last read saw of it. */
  #awaited: { readonly task: TaskId; readonly tick: number };
  readonly #quiet: QuietSenders;
  readonly #rounds: RoundsSaid;

  constructor(
    readonly giver: TaskId,
    readonly senders: readonly TaskId[],
    readonly receiver: number,
    readonly exchanges: readonly string[],
    readonly store: TaskStore,
    readonly news: NewsDesk,
    readBytesMax: number,
    /** So long 1.0 may take to find out that it lost rounds that we have. */
    regainMs: number,
  ) {
    this.#asked = new EntriesAsked(readBytesMax, senders.length);
    this.#awaited = { task: giver, tick: 0 };
    this.#rounds = new RoundsSaid(giver, store, new RegainWait(() => news.clock.monotonicMs(), regainMs));
    this.#quiet = new QuietSenders(senders.map((sender) => store.sentKey(sender)));
  }

  async next(position: InputPosition, note: unknown): Promise<InputBatch | null> {
    const heard = (note as readonly Heard[] | undefined) ?? [...this.senders, null].map(() => NOTHING_HEARD);
    const asked = this.#askedBehind(heard);
    if (this.#quiet.isSilent && (await this.#isAsBefore(asked))) return null;
    const answers = await this.#receive(asked);
    const told = answers.pop()!;
    this.#awaited = { task: this.giver, tick: told.record?.tick ?? 0 };
    const ours = heard.at(ROUNDS) as HeardOfRounds;
    const behind = await this.#rounds.after(ours, told);
    if (behind === null) return null;
    // What was taken of a round goes with the rest of that, and of no other.
    const [first] = behind.rounds;
    if (ours.next && first && first.commit !== ours.next.commit) throw lostBy(this.giver, ours);
    const placed: PlaceByRound[] = [];
    for (const [sender, answer] of answers.entries()) placed.push(await this.#placed(answer, asked[sender]!));
    this.#asked.saw(placed.map(({ answer }) => answer));
    if (!(await this.#haveSameRounds(placed, behind, heard))) return null;
    const parts = this.#partsOf(behind.rounds, placed, heard);
    const { exchanges } = this;
    const begun = [...placed.map((of) => of.heard), ours];
    return parts.length === 0 ? null : new RoundsBatch(parts, { position, heard: begun, exchanges });
  }

  /** What to ask of all senders, and of whom the rounds are. */
  #askedBehind(heard: readonly Heard[]): AskedOf[] {
    const ours = heard.at(ROUNDS) as HeardOfRounds;
    const ofSenders = this.senders.map((sender, index) => ({
      ...{ sender, receiver: this.receiver, heard: heard[index]! },
      ...{ countMax: this.#asked.max, had: hadOf(ours, index) },
    }));
    const ofRounds = { sender: this.giver, receiver: ROUNDS, heard: ours, countMax: ROUNDS_MAX, had: null };
    return [...ofSenders, ofRounds];
  }

  #receive(asked: readonly AskedOf[]): Promise<Received[]> {
    return this.store.receive(
      asked.map(({ heard, ...of }) => ({
        ...{ sender: of.sender, receiver: of.receiver },
        ...{ after: heard.tick, countMax: of.countMax },
      })),
    );
  }

  /** Where nothing has come that could end a round: it is seen to that those who are silent are who they were. */
  async #isAsBefore(asked: readonly AskedOf[]): Promise<boolean> {
    const some = [...this.#quiet.ask(), this.senders.length].map((index) => asked[index]!);
    const answers = await this.#receive(some);
    const told = answers.pop()!;
    if (answers.some((answer, index) => following(answer, some[index]!) === null)) return false;
    return (await this.#rounds.after(asked.at(ROUNDS)!.heard, told))?.rounds.length === 0;
  }

  /** What belongs to the rounds that all have sent, in their order: up to where what was read of a sender may not be all. */
  #partsOf(rounds: readonly Round[], placed: readonly PlaceByRound[], heard: readonly Heard[]): Taken[] {
    const parts: Taken[] = [];
    const taken = placed.map(() => 0);
    for (const round of rounds) {
      if (this.#isAwaited(round, placed)) break;
      for (const [sender, { following }] of placed.entries()) {
        const { entries, isAll } = following;
        const left = entries.slice(taken[sender]);
        const other = left.findIndex((entry) => !belongs(entry, round, sender));
        const ofRound = other < 0 ? left : left.slice(0, other);
        const cut = round.cut[sender];
        for (const [index, entry] of ofRound.entries()) {
          if (entry.round === 0 && entry.tick === cut!.tick && entry.commit !== cut!.commit)
            throw lostBy(this.senders[sender]!, heard[sender]!);
          const isLast = index === ofRound.length - 1 && (isAll || other >= 0);
          parts.push({ sender, entry, isLast, round });
        }
        taken[sender]! += ofRound.length;
        if (other < 0 && !isAll) return parts;
      }
      parts.push({ entry: null, round });
    }
    return parts;
  }

  /** Whether a sender has not sent all that belongs to a round: then its commit is waited for. */
  #isAwaited(round: Round, placed: readonly PlaceByRound[]): boolean {
    const late = this.senders.findIndex(
      (sender, index) => !hasSent(sender, placed[index]!.answer, round, index),
    );
    if (late < 0) return false;
    this.#awaited = { task: this.senders[late]!, tick: placed[late]!.answer.record?.tick ?? 0 };
    return true;
  }

  /** What follows of a sender behind the round up to which we have it. @throws LogLost where we have some of one, and it does not follow that */
  async #placed(answer: Received, asked: AskedOf): Promise<PlaceByRound> {
    const { sender, heard, had } = asked;
    const found = following(answer, asked);
    if (found !== null)
      return { answer, ...(had === null ? { heard, following: found } : passingOver(asked, found, had)) };
    if (had === null) throw lostBy(sender, heard);
    const { record } = answer;
    if (record === null || isMakingAgain(asked, record, had))
      return { answer, heard, following: NOTHING_FOLLOWS };
    // A task of the first stage makes again what it knows to have lost, and nothing else.
    if (sender.stage === 0 && !wasCutAt(record, had)) throw lostBy(sender, heard);
    return placeByRound(this.store, asked, had);
  }

  /**
   * Whether those that know rounds know such as are also ours. A task of which the giver has gone back since may have had rounds
   * that are no more, and what it says of them is of no use to us. False where it has one that we have not read yet.
   * @throws LogLost
   */
  async #haveSameRounds(
    placed: readonly PlaceByRound[],
    { rounds, isAll }: RoundsBehind,
    heard: readonly Heard[],
  ): Promise<boolean> {
    const ours = heard.at(ROUNDS)!;
    const last = rounds.at(-1) ?? ours;
    for (const [index, sender] of this.senders.entries()) {
      const { record } = placed[index]!.answer;
      const theirs = record && lastRoundOf(sender, record);
      if (!theirs || theirs.tick <= ours.tick) continue;
      if (theirs.tick > last.tick && isAll) return false;
      const same =
        theirs.tick > last.tick
          ? await this.#rounds.at(theirs.tick)
          : rounds.find(({ tick }) => tick === theirs.tick);
      if (same?.commit !== theirs.commit) throw lostBy(sender, heard[index]!);
    }
    return true;
  }

  async wait(_position: InputPosition, signal: AbortSignal): Promise<void> {
    const { task, tick } = this.#awaited;
    const redisKey = this.store.sentKey(task);
    this.#quiet.heard(await this.news.waitForAny(new Map([[redisKey, `${tick}-0`]]), signal));
  }

  forget(): void {
    this.#quiet.forget();
  }
}

interface AskedOf extends Asked {
  readonly heard: Heard;
  /** The round up to which all is had of it; null where that is some of one. */
  readonly had: number | null;
}

const NOTHING_FOLLOWS: Following = { entries: [], isAll: true, isKnown: false };

type SentRecord = NonNullable<Received['record']>;

/** Whether a sender, so far as its record says, has sent all that belongs to a round. */
function hasSent(sender: TaskId, { record }: Received, round: Round, index: number): boolean {
  if (sender.stage > 0) return record !== null && roundsDone(sender, record) >= round.tick;
  if ((record?.tick ?? 0) < round.cut[index]!.tick) return false;
  return record === null || firstMade(record) > round.tick;
}

/** Whether a sender has lost what there was up to a round, and has not made it again. */
const isMakingAgain = ({ sender, heard }: AskedOf, record: SentRecord, round: number): boolean =>
  sender.stage > 0
    ? roundsDone(sender, record) <= round
    : record.tick < heard.tick || firstMade(record) <= round;

/** The round that a task of the first stage makes again. */
const firstMade = (record: SentRecord): number => madeAgain(record)?.round ?? Infinity;

/** The last round of which a sender knows; of the first stage one does that makes something again, or did. */
const lastRoundOf = (sender: TaskId, record: SentRecord): Readonly<CommitId> | undefined =>
  sender.stage === 0 ? madeAgain(record)?.last : givesRounds(sender) ? undefined : followedRounds(record);

const belongs = (entry: ExchangeEntry, round: Round, sender: number): boolean =>
  entry.round === 0 ? entry.tick <= round.cut[sender]!.tick : entry.round <= round.tick;

/** An entry, or the end of a round. */
type Taken =
  | {
      readonly sender: number;
      readonly entry: ExchangeEntry;
      /** Nothing more of that round is of this sender. */
      readonly isLast: boolean;
      readonly round: Round;
    }
  | { readonly entry: null; readonly round: Round };

class RoundsBatch extends ReceivedBatch<Taken> {
  wholeAt(from: number, to: number, most: number): number {
    for (let end = from + 1; end <= Math.min(most, this.size); end++)
      if (this.parts[end - 1]!.entry === null) return end;
    return to;
  }

  protected override hear(heard: Heard[], part: Taken): void {
    const { next: _, taken: __, ...rounds } = heard.pop() as HeardOfRounds;
    const round = roundAt(part.round);
    const { cut, begun } = round;
    if (part.entry === null)
      heard.push({ ...withEntry(rounds, round), more: false, cut, begun } as HeardOfRounds);
    else {
      const { sender, entry, isLast } = part;
      heard[sender] = withEntry(heard[sender]!, entry);
      heard.push({ ...rounds, more: true, next: round, taken: [sender, isLast] } as HeardOfRounds);
    }
  }

  override frontierAfter(to: number): Frontier {
    return this.#roundAt(to)?.frontier ?? {};
  }

  override clocksAfter(to: number): PartitionClocks {
    return this.#roundAt(to)?.clocks ?? {};
  }

  /** The last round that is over after so many parts. */
  #roundAt(to: number): Round | null {
    for (let index = to; index-- > 0;) {
      const part = this.parts[index]!;
      if (part.entry === null) return part.round;
    }
    return null;
  }
}
