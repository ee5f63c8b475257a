import { z } from 'zod';
import { computed, count, declarationOf, stream, sum, view } from '../../src/index.js';

/** Events of which some end no function: `poison` loops, and a `heavy` one takes all memory. */
export const readings = stream('readings', {
  schema: z.object({ reading: z.int(), sensor: z.string(), trouble: z.enum(['none', 'poison', 'heavy']) }),
});

export const perSensor = view('per-sensor', {
  from: readings
    .where((reading) => {
      while (reading.trouble === 'poison');
      if (reading.trouble === 'heavy')
        for (const all: unknown[] = []; ;) all.push(new Array(1_000_000).fill(reading));
      return true;
    })
    .groupBy('sensor')
    .aggregate({ readings: count(), total: sum('reading') }),
});

/** Reads the same stream, and has no trouble with any of it. */
export const perTrouble = view('per-trouble', {
  from: readings.groupBy('trouble').aggregate({ readings: count() }),
});

/** Its function loops on a row of another view. */
export const busySensors = view('busy-sensors', {
  from: perTrouble.select({
    trouble: 'trouble',
    busy: computed(z.boolean(), (row) => {
      while (row.trouble === 'heavy');
      return row.readings > 10;
    }),
  }),
});

export const looping = [perSensor, perTrouble].map((declared) => declarationOf(declared));
export const loopingOnRows = [perTrouble, busySensors].map((declared) => declarationOf(declared));
