import { MemoryRedis, MemoryStream, MemoryTask } from '../memory/memory-redis.js';

/** A Redis as it was, or one slot of it: what a restart or a failover goes back to. */
export interface Checkpoint {
  /** When it was so. */
  readonly at: number;
  readonly streams: ReadonlyMap<string, MemoryStream>;
  readonly tasks: ReadonlyMap<string, MemoryTask>;
  readonly registry: MemoryRedis['registry'];
  readonly workers: MemoryRedis['workers'];
  readonly appends: MemoryRedis['appends'];
}

export const checkpoint = (redis: MemoryRedis): Checkpoint => ({
  at: redis.clock.now(),
  streams: new Map([...redis.streams].map(([key, stream]) => [key, copyOfStream(stream)])),
  tasks: new Map([...redis.tasks].map(([name, task]) => [name, copyOfTask(task)])),
  registry: structuredClone(redis.registry),
  workers: structuredClone(redis.workers),
  appends: structuredClone(redis.appends),
});

/** Before anything was written: what is left of a slot of which no replica had anything. */
export const NOTHING: Checkpoint = { ...checkpoint(new MemoryRedis()), at: 0 };

/** All that was written since is lost, everywhere at once. */
export function rollBack(redis: MemoryRedis, to: Checkpoint): void {
  for (const key of redis.streams.keys()) rollBackStream(redis, to, key);
  for (const name of redis.tasks.keys()) rollBackTask(redis, to, name);
  replace(redis.appends, structuredClone(to.appends));
  rollBackWorkers(redis, to);
  rollBackRegistry(redis, to);
}

/** Who is alive goes back, and nothing else. */
export function rollBackWorkers(redis: MemoryRedis, to: Checkpoint): void {
  replace(redis.workers, structuredClone(to.workers));
}

/** The registry goes back, and nothing else. */
export function rollBackRegistry(redis: MemoryRedis, to: Checkpoint): void {
  const { releases, generations, numbers, ...scalars } = structuredClone(to.registry);
  Object.assign(redis.registry, scalars);
  replace(redis.registry.releases, releases);
  replace(redis.registry.generations, generations);
  replace(redis.registry.numbers, numbers);
}

/** One source partition goes back, and nothing else: another master had it. */
export function rollBackStream(redis: MemoryRedis, to: Checkpoint, key: string): void {
  const stream = redis.streams.get(key);
  if (stream) Object.assign(stream, copyOfStream(to.streams.get(key) ?? new MemoryStream()));
}

/** One task with its changelog goes back, and nothing else. */
export function rollBackTask(redis: MemoryRedis, to: Checkpoint, name: string): void {
  const task = redis.tasks.get(name);
  if (!task) return;
  const { changes, commits, ...kept } = copyOfTask(to.tasks.get(name) ?? new MemoryTask());
  Object.assign(task, kept);
  // Whoever waits for these has the streams themselves.
  Object.assign(task.changes, changes);
  Object.assign(task.commits, commits);
}

function replace<V>(map: Map<string, V>, by: ReadonlyMap<string, V>): void {
  map.clear();
  for (const [key, value] of by) map.set(key, value);
}

function copyOfStream(stream: MemoryStream): MemoryStream {
  return Object.assign(new MemoryStream(), structuredClone({ ...stream }));
}

function copyOfTask(task: MemoryTask): MemoryTask {
  const { changes, commits, sent, ...kept } = task;
  return Object.assign(new MemoryTask(), structuredClone(kept), {
    changes: copyOfStream(changes),
    commits: copyOfStream(commits),
    sent: new Map([...sent].map(([receiver, stream]) => [receiver, copyOfStream(stream)])),
  });
}
