import { System } from '../support/system.js';
import { tills } from './tills.js';

/** A worker as a process of its own. `tills-process.ts <address as JSON> <lease ms>` Says now and then what it has seen. */
const [address, leaseMs] = process.argv.slice(2) as [string, string];
const system = await System.start({
  url: JSON.parse(address),
  declarations: tills,
  commandTimeoutMs: 1_000,
  limits: { leaseMs: Number(leaseMs), waitMs: 1_000, retryMsMax: 200, commitWritesMax: 500 },
  logger: { info: console.log, warn: console.log, error: console.log },
});
setInterval(() => {
  const { fenced, takeovers, recoveries } = system.metrics;
  const seen = {
    fenced: fenced.sum(),
    takeovers: takeovers.sum(),
    recoveries: recoveries.sum(),
  };
  console.log(`seen ${JSON.stringify(seen)}`);
}, 250);
process.on('SIGTERM', () => {
  void system.stop().then(() => process.exit(0));
});
console.log('ready');
