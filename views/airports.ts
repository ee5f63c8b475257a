import { table } from 'stillwater';
import { z } from 'zod';

/** Every airport of the United States: a record replaces the row of its code. */
export const airports = table('airports', {
  schema: z.object({
    iata: z.string(),
    name: z.string(),
    city: z.string(),
    state: z.string(),
    country: z.string(),
    latitude: z.number(),
    longitude: z.number(),
  }),
  key: 'iata',
});
