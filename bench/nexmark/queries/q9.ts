import { view } from 'stillwater';
import { winningBids } from './winning-bids.js';

/** Winning bids: every auction with the bid that wins it. */
export const q9 = view('q9', { from: winningBids });
