import { memoryPorts } from '../memory/memory-ports.js';
import { MemoryViewStore } from '../memory/memory-view-store.js';
import type { Mutation } from './mutation.js';
import { stackedSubject } from './subjects.js';

/** Rules of how views are read by views. */
export const viewStoreMutations: readonly Mutation[] = [
  {
    breaks: 'a dependent reads every entry of a changelog',
    subject: stackedSubject,
    ports: (redis) => {
      const views = new MemoryViewStore(redis);
      const changes = views.changes.bind(views);
      views.changes = async (task, afterTick, countMax) => {
        const found = await changes(task, afterTick, countMax);
        return found && found.entries.length > 2
          ? { ...found, entries: found.entries.filter((_, index) => index !== 1) }
          : found;
      };
      return { ...memoryPorts(redis), views };
    },
  },
  {
    breaks: 'a dependent compares the history of what it reads with the one it has read',
    subject: stackedSubject,
    slotsGoBack: 'any',
    ports: (redis) => {
      const views = new MemoryViewStore(redis);
      const changes = views.changes.bind(views);
      views.changes = async (task, afterTick, countMax) => {
        const found = await changes(task, afterTick, countMax);
        const nameless = (text: string): string => `${text.slice(0, text.lastIndexOf('\n'))}\n `;
        return (
          found && {
            newest: { tick: Math.max(found.newest.tick, afterTick), commit: '' },
            entries: found.entries.map(([id, [field, text]]) => [id, [field!, nameless(text!)]]),
          }
        );
      };
      return { ...memoryPorts(redis), views };
    },
  },
  {
    breaks: 'a page of a snapshot says the tick it was read at',
    ports: (redis) => {
      const views = new MemoryViewStore(redis);
      const bucket = views.bucket.bind(views);
      views.bucket = async (task, number) => {
        const page = await bucket(task, number);
        // Not before the first: who has read nothing would begin again, for ever.
        const record = page.record && { ...page.record, tick: Math.max(1, page.record.tick - 1) };
        return { ...page, record };
      };
      return { ...memoryPorts(redis), views };
    },
  },
];
