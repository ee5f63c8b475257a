/**
 * `npm run bench`: what is claimed about speed, measured in one run on one machine. See README.md.
 */
import { runCommand } from './command.js';
import { endToEnd } from './end-to-end.js';
import { groupCount } from './group-count.js';
import { latency } from './latency.js';
import { manyViews } from './many-views.js';
import { memory } from './memory.js';
import { rebuild } from './rebuild.js';
import { takeover } from './takeover.js';

await runCommand({
  name: 'npm run bench',
  figures: [endToEnd, groupCount, rebuild, latency, memory, takeover, manyViews],
  events: 'end-to-end, rebuild and many-views',
  profiles: 'the measured processes',
});
