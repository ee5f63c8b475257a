import type { ReadOutcome, ReadRequest } from '../../runtime/ports/source-log.js';
import { memoryPorts } from '../memory/memory-ports.js';
import { MemorySourceLog } from '../memory/memory-source-log.js';
import type { Mutation, PortsOver } from './mutation.js';
import { plainSubject, subjectInTime, trimmedSubject } from './subjects.js';

/** How long before the entries, where heartbeats are read first. */
const HEARTBEATS_EARLY_MS = 1_200;

const withLog =
  (read: (log: MemorySourceLog, request: ReadRequest) => Promise<ReadOutcome>): PortsOver =>
  (redis) => {
    const log = new MemorySourceLog(redis);
    const readRight = log.read.bind(log);
    const right = Object.assign(Object.create(log) as MemorySourceLog, { read: readRight });
    log.read = (request) => read(right, request);
    return { ...memoryPorts(redis), log };
  };

/** Rules of how logs are read. */
export const sourceLogMutations: readonly Mutation[] = [
  {
    breaks: 'a read names the position it continues from',
    subject: plainSubject,
    ports: withLog(async (log, request) => {
      const cursor = log.redis.groups.get(request.redisKey)?.get(log.group);
      if (cursor === undefined || request.position === '0-0')
        return log.read({ ...request, through: 'group' });
      const outcome = await log.read({ ...request, position: cursor, through: 'group' });
      return outcome.status === 'lost' ? { status: 'read', entries: [] } : outcome;
    }),
  },
  {
    breaks: 'the entry at a position must still be there',
    ports: withLog(async (log, request) => {
      const outcome = await log.read(request);
      if (outcome.status === 'read') return outcome;
      const stream = log.redis.streams.get(request.redisKey);
      return { status: 'read', entries: stream?.after(request.position, request.countMax) ?? [] };
    }),
  },
  {
    breaks: 'a task that has nothing does not begin with what is left of a log that it had begun with before',
    subject: trimmedSubject,
    ports: (redis) => {
      const log = new MemorySourceLog(redis);
      log.begun = (_redisKey, _reader, first) => Promise.resolve(first);
      return { ...memoryPorts(redis), log };
    },
  },
  {
    breaks: 'heartbeats are read after the entries they lie among',
    subject: subjectInTime,
    ports: withLog(async (log, request) => {
      const heartbeats = new Map(log.redis.streams.get(request.redisKey)?.heartbeats);
      await new Promise((passed) => log.redis.clock.after(HEARTBEATS_EARLY_MS, () => passed(null)));
      const outcome = await log.read(request);
      if (outcome.status !== 'read' || outcome.heartbeats === undefined) return outcome;
      return {
        ...outcome,
        heartbeats: outcome.heartbeats.flatMap(({ anchor }) => {
          const clock = heartbeats.get(anchor);
          return clock === undefined ? [] : [{ anchor, clock }];
        }),
      };
    }),
  },
];
