import { pure } from '../../src/circuit/pure.js';
import { Watchdog } from '../../src/runtime/watchdog.js';
import { System } from '../support/system.js';
import { looping, loopingOnRows } from './looping-views.js';

/** A worker under a watchdog. `looping-process.ts <url> entries|rows` */
const [url, of] = process.argv.slice(2) as [string, string];
const watchdog = new Watchdog(700);
await System.start({
  url,
  declarations: of === 'rows' ? loopingOnRows : looping,
  // Every halving of what was read ends a worker: little is read at once.
  limits: { leaseMs: 400, registryRefreshMs: 50, readEntriesMax: 64 },
  logger: { info: console.log, warn: console.log, error: console.log },
  step: (step) => watchdog.watch(() => pure(step)),
});
console.log('ready');
