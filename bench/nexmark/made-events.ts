import { random } from '../flight-events.js';

const FIRST_MS = Date.UTC(2015, 6, 15, 7, 58);
const EVENTS_PER_SECOND = 200;
/** Of fifty events one is a person, three are auctions, the others bids. */
const ROUND = 50;
const AUCTIONS_A_ROUND = 3;
const ID_FIRST = 1_000;
/** A person or an auction of whom there is more than of others, for so many of their kind. */
const HOT_FOR = 100;
const AUCTIONS_OPEN = 100;
const CATEGORIES = 5;
const CITIES = ['Phoenix AZ', 'Fresno CA', 'Boise ID', 'Salem OR', 'Tacoma WA', 'Casper WY'];
const CHANNELS = ['Google', 'Facebook', 'Baidu', 'Apple'];

/**
 * Events of an auction house, in the order of time, the same at every run. Not those of the Nexmark suite's own
 * generator, but alike: for where no data set is given.
 */
export function* madeEvents(events: number, seed = 1): Generator<Record<string, string | number>> {
  const chance = random(seed);
  const below = (count: number): number => Math.floor(chance() * count);
  const word = (least: number, most: number): string =>
    Array.from({ length: least + below(most - least + 1) }, () => String.fromCharCode(97 + below(26))).join(
      '',
    );
  const price = (): number => Math.round(10 ** (chance() * 6) * 100);
  /** The hot one of so many, or the one so many behind it, or any of the latest. */
  const oneOf = (made: number, hotIn4: number, behind = 0): number =>
    ID_FIRST +
    (below(4) < hotIn4
      ? Math.floor((made - 1) / HOT_FOR) * HOT_FOR + behind
      : made - 1 - below(Math.min(made, AUCTIONS_OPEN)));
  let persons = 0;
  let auctions = 0;
  for (let seq = 0; seq < events; seq++) {
    const ts = FIRST_MS + Math.floor((seq * 1_000) / EVENTS_PER_SECOND);
    const place = seq % ROUND;
    if (place === 0) {
      const [city, state] = CITIES[below(CITIES.length)]!.split(' ') as [string, string];
      yield {
        ...{ seq, type: 'person', ts, id: ID_FIRST + persons++, name: `${word(3, 6)} ${word(4, 8)}` },
        ...{ email_address: `${word(3, 7)}@${word(3, 5)}.example`, credit_card: String(below(10 ** 12)) },
        ...{ city, state, date_time: ts, extra: word(5, 25) },
      };
    } else if (place <= AUCTIONS_A_ROUND) {
      const initial = price();
      yield {
        ...{ seq, type: 'auction', ts, id: ID_FIRST + auctions++, item_name: word(3, 18) },
        ...{ description: word(10, 60), initial_bid: initial, reserve: initial + price(), date_time: ts },
        ...{ expires: ts + 1 + below(16_000), seller: oneOf(persons, 3), category: 10 + below(CATEGORIES) },
        extra: word(5, 40),
      };
    } else {
      const hot = below(2) === 0;
      const channel = hot ? CHANNELS[below(CHANNELS.length)]! : `channel-${below(500)}`;
      const address = `https://www.nexmark.example/${word(3, 5)}/${word(3, 5)}/${word(3, 5)}/item.htm?query=1`;
      // Who bids most is not who sells most: every bid with all that its bidder sells would be a square of the events.
      const bidder = oneOf(persons, 3, 1);
      yield {
        ...{ seq, type: 'bid', ts, auction: oneOf(auctions, 2), bidder, price: price() },
        ...{ channel, url: hot ? address : `${address}&channel_id=${below(1_000_000)}` },
        ...{ date_time: ts, extra: word(5, 30) },
      };
    }
  }
}
