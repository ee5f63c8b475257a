import { ArchivedLog } from '../../runtime/archive/archived-log.js';
import type { ObjectStore } from '../../runtime/ports/object-store.js';
import type { RawEntry } from '../../runtime/ports/source-log.js';
import { memoryPorts } from '../memory/memory-ports.js';
import { MemorySourceLog } from '../memory/memory-source-log.js';
import type { Mutation } from './mutation.js';
import { SimulatedArchive } from './simulated-archive.js';
import { archivedSubject } from './subjects.js';

/** A store that says of some objects that it has them, and has not. */
function forgetful(store: ObjectStore): ObjectStore {
  let puts = 0;
  const put: ObjectStore['put'] = (name, content) =>
    ++puts % 3 === 0 ? Promise.resolve() : store.put(name, content);
  return Object.assign(Object.create(store) as ObjectStore, { put });
}

/** What is read of the archive, changed on its way; `before`: the entry that was read last. */
const withSeam =
  (
    change: (entries: readonly RawEntry[], before: RawEntry | undefined) => readonly RawEntry[],
  ): NonNullable<Mutation['archive']> =>
  (redis) =>
    new SimulatedArchive(redis, undefined, (log, archive) => {
      const archived = new ArchivedLog(log, archive);
      const read = archived.read.bind(archived);
      let last: RawEntry | undefined;
      archived.read = async (request) => {
        const outcome = await read(request);
        if (outcome.status !== 'read' || !outcome.archived) return outcome;
        const before = last?.[0] === request.position ? last : undefined;
        last = outcome.entries.at(-1);
        return { ...outcome, entries: [...change(outcome.entries, before)] };
      };
      return archived;
    });

/** Rules of how logs are archived and trimmed. */
export const archiveMutations: readonly Mutation[] = [
  {
    breaks: 'nothing is trimmed before the archive has it',
    subject: archivedSubject,
    ports: memoryPorts,
    archive: (redis) => new SimulatedArchive(redis, forgetful),
  },
  {
    breaks: 'the last entry of the archive stays in the log',
    subject: archivedSubject,
    ports: (redis) => {
      const log = new MemorySourceLog(redis);
      const trim = log.trim.bind(log);
      log.trim = (redisKey, position, entriesMax) => {
        const after = redis.streams.get(redisKey)?.after(position, 1)[0]?.[0];
        return trim(redisKey, after ?? position, entriesMax);
      };
      return { ...memoryPorts(redis), log };
    },
  },
  {
    breaks: 'what is read of the archive begins behind the entry one stands at',
    subject: archivedSubject,
    ports: memoryPorts,
    archive: withSeam((entries, before) => (before === undefined ? entries : [before, ...entries])),
  },
  {
    breaks: 'what is read of the archive leaves nothing out',
    subject: archivedSubject,
    ports: memoryPorts,
    archive: withSeam((entries) => (entries.length > 1 ? entries.slice(1) : entries)),
  },
];
