import { z } from 'zod';
import { count, declarationOf, stream, sum, view } from '../../src/index.js';
import { System } from '../support/system.js';

/** A worker with the limits of everybody, for a process that is given little memory. `small-worker.ts <url>` */
const parcels = stream('parcels', {
  schema: z.object({ town: z.string(), grams: z.int(), note: z.string() }),
});
const byTown = view('by-town', {
  from: parcels.groupBy('town').aggregate({ parcels: count(), grams: sum('grams') }),
});
const system = await System.start({ url: process.argv[2]!, declarations: [declarationOf(byTown)] });
process.on('SIGTERM', () => void system.stop().then(() => process.exit(0)));
console.log('ready');
