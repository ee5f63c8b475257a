import { view } from 'stillwater';
import { auctions, persons } from '../events.js';

const STATES = ['OR', 'ID', 'CA'];

/** Local item suggestion: who offers in category 10 in some states, whichever of seller and offer comes first. */
export const q3 = view('q3', {
  from: auctions
    .where(({ category }) => category === 10)
    .select({ id: 'id', seller: 'seller' })
    .join(
      {
        person: persons
          .where(({ state }) => STATES.includes(state))
          .select({ id: 'id', name: 'name', city: 'city', state: 'state' }),
      },
      { on: { seller: 'id' } },
    )
    .select({ id: 'id', name: 'person.name', city: 'person.city', state: 'person.state' }),
  key: 'id',
});
