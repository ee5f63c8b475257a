/**
 * `npm run bench:scale`: what more workers, more partitions and rows that move between partitions bring and cost. See README.md.
 */
import { runCommand } from '../command.js';
import { rebuild } from './rebuild.js';
import { scaleOut } from './scale-out.js';
import { takeover } from './takeover.js';

await runCommand({
  name: 'npm run bench:scale',
  figures: [scaleOut, takeover, rebuild],
  events: 'scale-out and rebuild',
  profiles: 'the workers',
});
