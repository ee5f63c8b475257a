import { count, max, stream, view } from 'stillwater';
import { z } from 'zod';

/** Four partitions: a producer that appends itself puts a reading where its sensor belongs. */
export const readings = stream('readings', {
  schema: z.object({ sensor: z.string(), value: z.number() }),
  partitions: 4,
  partitionBy: 'sensor',
});

export const bySensor = view('by-sensor', {
  from: readings.groupBy('sensor').aggregate({ readings: count(), highest: max('value') }),
  indexes: ['highest.desc'],
});
