import { System } from '../support/system.js';
import { shop } from './shop.js';

/** A worker as a process of its own, to be killed, paused and cut off. `worker-process.ts <url> <lease ms>` */
const [url, leaseMs] = process.argv.slice(2) as [string, string];
const system = await System.start({
  url,
  declarations: shop,
  limits: {
    leaseMs: Number(leaseMs),
    commitWritesMax: 200,
    readEntriesMax: 300,
    cacheEntriesMax: 300,
    retryMsMax: 200,
  },
  logger: { info: console.log, warn: console.log, error: console.log },
});
process.on('SIGTERM', () => {
  void system.stop().then(() => process.exit(0));
});
console.log('ready');
