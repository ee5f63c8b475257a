import { count, tumbling, view } from 'stillwater';
import { auctions, persons } from '../events.js';

/** Monitor new users: who offered something in the same ten seconds in which they registered. */
export const q8 = view('q8', {
  from: persons
    .window(tumbling('10s'))
    .groupBy('id', 'name')
    .aggregate({ times: count() })
    .join(
      {
        offers: auctions.window(tumbling('10s')).groupBy('seller').aggregate({ auctions: count() }),
      },
      { on: { id: 'seller', windowStart: 'windowStart' } },
    )
    .select({ id: 'id', name: 'name', windowStart: 'windowStart' }),
});
