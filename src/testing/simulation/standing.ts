import { progressOf } from '../../runtime/progress.js';
import { memoryPorts } from '../memory/memory-ports.js';
import type { MemoryRedis } from '../memory/memory-redis.js';

/** Where everything stands, for whoever looks for why a run does not come to rest. */
export async function described(redis: MemoryRedis): Promise<string> {
  const ports = memoryPorts(redis);
  const { generations } = await ports.registry.read();
  const statuses = await Promise.all(
    generations.map(async (each) => (await progressOf(each, ports.tasks, ports.log)).statuses),
  );
  return JSON.stringify({ generations, statuses, live: await ports.workers.live() }, null, 1);
}
