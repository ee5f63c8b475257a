import { DirectoryStore } from '../../src/archive/directory-store.js';
import { System } from '../support/system.js';
import { tills } from './tills.js';

/** A worker as a process of its own. `tills-process.ts <address as JSON> <lease ms> <archive>` Says now and then what it has seen. */
const [address, leaseMs, archive] = process.argv.slice(2) as [string, string, string];
const system = await System.start({
  url: JSON.parse(address),
  declarations: tills,
  commandTimeoutMs: 1_000,
  archive: new DirectoryStore(archive),
  limits: {
    ...{ leaseMs: Number(leaseMs), waitMs: 1_000, retryMsMax: 200, commitWritesMax: 500 },
    // What is younger a server may lose; generations that are kept for a rollback would hold trimming back.
    ...{ keptMs: 3_000, retentionMs: 1_000, archiveAgeMs: 8_000, archiveMs: 2_000, archiveEntriesMax: 1_000 },
  },
  logger: { info: console.log, warn: console.log, error: console.log },
});
system.retention.start();
setInterval(() => {
  const { fenced, takeovers, recoveries } = system.metrics;
  const seen = { fenced: fenced.sum(), takeovers: takeovers.sum(), recoveries: recoveries.sum() };
  console.log(`seen ${JSON.stringify(seen)}`);
}, 250);
process.on('SIGTERM', () => {
  void system.retention
    .stop()
    .then(() => system.stop())
    .then(() => process.exit(0));
});
console.log('ready');
