import { computed, view } from 'stillwater';
import { z } from 'zod';
import { bids } from '../events.js';

const CHANNEL_IDS = new Map([
  ['apple', '0'],
  ['google', '1'],
  ['facebook', '2'],
  ['baidu', '3'],
]);

/** Add channel id: known by the channel's name, or read from the address. */
export const q21 = view('q21', {
  from: bids
    .select({
      position: '$position',
      auction: 'auction',
      bidder: 'bidder',
      price: 'price',
      channel: 'channel',
      channel_id: computed(
        z.string().nullable(),
        ({ channel, url }) =>
          CHANNEL_IDS.get(channel.toLowerCase()) ?? /(?:&|^)channel_id=([^&]*)/.exec(url)?.[1] ?? null,
      ),
    })
    .where(({ channel_id }) => channel_id !== null),
  key: 'position',
});
