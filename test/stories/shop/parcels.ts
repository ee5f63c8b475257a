import { count, last, stream, view } from 'stillwater';
import { z } from 'zod';

export const parcels = stream('parcels', {
  schema: z.object({ parcel: z.string(), weight: z.int(), depot: z.string() }),
});

/** Large: a row for each parcel. */
export const byParcel = view('by-parcel', {
  from: parcels.groupBy('parcel').aggregate({ scans: count(), weight: last('weight'), depot: last('depot') }),
  indexes: ['weight.desc'],
});
