import { decodeEntry, type ExchangeEntry, lastSent } from '../../runtime/exchange-entry.js';
import { heardIn } from '../../runtime/followed.js';
import { followedRounds, followsRounds, givesRounds, ROUNDS, roundsDone } from '../../runtime/rounds.js';
import { taskName } from '../../runtime/task-id.js';
import { Ticks } from '../../runtime/ticks.js';
import { changed, hearing, withReceived, withRecords } from './changed-exchange.js';
import { type Mutation, withCommits, withMethod } from './mutation.js';
import { chainedSubject, roundsSubject, tornSubject } from './subjects.js';

/** Rules of rounds, and of what is given and made again where there are any. */
export const roundsMutations: readonly Mutation[] = [
  {
    breaks: 'an entry is taken with its round, and not before',
    subject: chainedSubject,
    ports: withReceived(({ record, entries }) => ({
      record,
      entries: entries.map((entry) => changed(entry, { round: Math.min(1, decodeEntry(entry).round) })),
    })),
  },
  {
    breaks: 'a round is taken when all that send to a task have come to its end',
    subject: chainedSubject,
    ports: (redis) =>
      withReceived(({ record, entries }, { sender }) => {
        const heard = record && heardIn(record);
        if (!heard || !followsRounds(sender)) return { record, entries };
        const giver = redis.tasks.get(taskName({ ...sender, stage: 1, partition: 0 }))!.record!;
        const ahead = [...heard.slice(0, ROUNDS), { ...heard.at(ROUNDS)!, ...lastSent(giver, ROUNDS) }];
        return { record: hearing(record, ahead), entries };
      })(redis),
  },
  {
    breaks: 'entries of rounds that are over are passed over where a sender made them again',
    subject: roundsSubject,
    slotsGoBack: 'followers',
    ports: (redis) => {
      const begun = new Set<string>();
      return withReceived(({ record, entries }, { sender, receiver, after }) => {
        const place = `${taskName(sender)} ${receiver}`;
        if (after > 0) begun.add(place);
        if (after > 0 || !begun.has(place) || !record || !followsRounds(sender)) return { record, entries };
        const round = roundsDone(sender, record);
        return { record, entries: entries.map((entry) => changed(entry, { round })) };
      })(redis);
    },
  },
  {
    breaks: 'what was sent is trimmed by the rounds at which receivers stand',
    subject: roundsSubject,
    slotsGoBack: 'followers',
    ports: withCommits((request, redis) => {
      const { task } = request;
      const readBy = (partition: number): number => {
        const receiver = redis.tasks.get(taskName({ ...task, stage: task.stage + 1, partition }))?.record;
        return (receiver && heardIn(receiver)?.[task.partition]?.tick) ?? 0;
      };
      if (!followsRounds(task) || !request.sent) return request;
      // What a receiver has read of the ticks that were lost.
      const sent = request.sent.map((one) => {
        const read = readBy(one.receiver);
        return read > request.tick ? { ...one, from: read } : one;
      });
      return { ...request, sent };
    }),
  },
  {
    breaks: 'what the first stage makes again is cut at each round',
    subject: roundsSubject,
    slotsGoBack: 'allButTheGiver',
    // All of it is where it was at the last of the rounds that are read.
    ports: withReceived(({ record, entries }, { receiver }) => {
      const last = entries.at(-1);
      if (receiver !== ROUNDS || last === undefined) return { record, entries };
      const places = (JSON.parse(decodeEntry(last).rows[0]!) as unknown[][]).map((cut) => cut.slice(2));
      const moved = ({ rows }: ExchangeEntry): string =>
        JSON.stringify(
          (JSON.parse(rows[0]!) as unknown[][]).map(([tick, commit], of) => [tick, commit, ...places[of]!]),
        );
      return {
        record,
        entries: entries.map((entry) => changed(entry, { rows: [moved(decodeEntry(entry))] })),
      };
    }),
  },
  {
    breaks: 'what the first stage makes again says to which round it belongs',
    subject: roundsSubject,
    slotsGoBack: 'allButTheGiver',
    ports: withReceived(({ record, entries }, { sender }) => ({
      record,
      entries: sender.stage > 0 ? entries : entries.map((entry) => changed(entry, { round: 0 })),
    })),
  },
  {
    breaks: 'a lost round is given again where it was cut',
    subject: roundsSubject,
    slotsGoBack: 'giver',
    // All are cut behind what was sent last.
    ports: withRecords((record, task, redis) => {
      const rounds = followedRounds(record);
      if (!rounds?.cut || !followsRounds(task)) return record;
      const cut = rounds.cut.map((at, partition) => {
        const sender = redis.tasks.get(taskName({ ...task, stage: 0, partition }))?.record;
        if (!sender) return at;
        const { tick, commit } = lastSent(sender, 0);
        return [tick, commit] as const;
      });
      const moved = [...heardIn(record)!.slice(0, ROUNDS), { ...rounds, cut }];
      return hearing(record, moved);
    }),
  },
  {
    breaks: 'what 1.0 sends of a lost round says to which it belongs',
    subject: roundsSubject,
    slotsGoBack: 'giver',
    ports: withReceived(({ record, entries }, { sender, receiver }) => ({
      record,
      entries:
        givesRounds(sender) && receiver !== ROUNDS
          ? entries.map((entry) => changed(entry, { round: decodeEntry(entry).tick }))
          : entries,
    })),
  },
  {
    breaks: 'what is made or given again has numbers of which nobody has heard',
    subject: roundsSubject,
    slotsGoBack: 'any',
    code: () => withMethod(Ticks, 'passOver', () => async () => {}),
  },
  {
    breaks: 'rows of several partitions of a view are of one moment where they meet',
    subject: tornSubject,
  },
];
