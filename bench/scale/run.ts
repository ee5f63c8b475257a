/**
 * `npm run bench:scale`: what more workers, more partitions and rows that move between partitions bring and cost. See README.md.
 */
import { runCommand } from '../command.js';
import { cluster } from './cluster.js';
import { rebuild } from './rebuild.js';
import { scaleOut } from './scale-out.js';
import { takeover } from './takeover.js';

await runCommand({
  name: 'npm run bench:scale',
  figures: [scaleOut, cluster, takeover, rebuild],
  events: 'scale-out, cluster and rebuild',
  profiles: 'the workers',
});
