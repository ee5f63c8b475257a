import type { Ports } from '../../runtime/ports/ports.js';
import type { CommitRequest } from '../../runtime/ports/task-store.js';
import { memoryPorts } from '../memory/memory-ports.js';
import type { MemoryRedis } from '../memory/memory-redis.js';
import { MemoryTaskStore } from '../memory/memory-task-store.js';
import type { Random } from '../random.js';
import type { SlotsThatGoBack } from './checkpoints.js';
import type { SimulatedArchive } from './simulated-archive.js';
import type { Subject } from './subject.js';

/** The ports of each process over one Redis. */
export type PortsOver = (redis: MemoryRedis) => Ports;

/** One rule of the protocol, broken on purpose. A simulation that does not notice proves nothing. */
export interface Mutation {
  /** What is no longer done. */
  readonly breaks: string;
  /** By default right ones: the rule is broken in what is kept. */
  readonly ports?: PortsOver;
  /** What is other in the code itself while a run lasts, where no port shows it; returns how to take that back. */
  readonly code?: () => () => void;
  /** How processes reach an archive, where it is there that the rule holds no longer. */
  readonly archive?: (redis: MemoryRedis) => SimulatedArchive;
  /** What shows it, where not any subject may. */
  readonly subject?: (random: Random) => Subject;
  /** Whether slots of tasks must go back for it, one at a time. */
  readonly slotsGoBack?: SlotsThatGoBack;
}

export const withTasks =
  (make: (redis: MemoryRedis) => MemoryTaskStore): PortsOver =>
  (redis) => ({ ...memoryPorts(redis), tasks: make(redis) });

/** What tasks commit, changed before it is stored. */
export const withCommits = (
  change: (request: CommitRequest, redis: MemoryRedis) => CommitRequest,
): PortsOver =>
  withTasks((redis) => {
    const store = new MemoryTaskStore(redis);
    const commit = store.commit.bind(store);
    store.commit = (request) => commit(change(request, redis));
    return store;
  });

/** A method of a class replaced; what the new one is given is the one there was. */
export function withMethod<C extends object, Name extends keyof C>(
  of: { readonly prototype: C },
  name: Name,
  change: (method: C[Name]) => C[Name],
): () => void {
  const method = of.prototype[name];
  of.prototype[name] = change(method);
  return () => void (of.prototype[name] = method);
}
