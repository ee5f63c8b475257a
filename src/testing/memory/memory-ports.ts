import { MemoryRedis } from './memory-redis.js';
import { MemoryRegistry } from './memory-registry.js';
import { MemorySourceLog } from './memory-source-log.js';
import { MemoryTaskStore } from './memory-task-store.js';
import { MemoryViewStore } from './memory-view-store.js';
import { MemoryWorkers } from './memory-workers.js';

/** All ports of one process over one memory; call it once for each process of a test. */
export function memoryPorts(redis = new MemoryRedis()): {
  log: MemorySourceLog;
  tasks: MemoryTaskStore;
  views: MemoryViewStore;
  registry: MemoryRegistry;
  workers: MemoryWorkers;
} {
  return {
    log: new MemorySourceLog(redis),
    tasks: new MemoryTaskStore(redis),
    views: new MemoryViewStore(redis),
    registry: new MemoryRegistry(redis),
    workers: new MemoryWorkers(redis),
  };
}
