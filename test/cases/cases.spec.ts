import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CaseEntry } from './case-file.js';
import { runCase } from './run-case.js';

/** Where cases are, on machines that have them. */
const PLACES = [
  process.env.STILLWATER_CASES ?? join('..', 'shared', 'cases'),
  join('..', '..', 'shared', 'cases'),
];
const isFolder = (place: string): boolean => existsSync(join(place, 'index.jsonl'));
const FOLDER = PLACES.find(isFolder) ?? PLACES[0]!;
const found = isFolder(FOLDER);
const entries = found
  ? readFileSync(join(FOLDER, 'index.jsonl'), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as CaseEntry)
  : [];

/** One history of each template; the others are for `npm run cases`. */
const some = entries.filter(
  ({ id, set, oracle }) =>
    (oracle === 'postgres-agrees' && /own:fuzz\/11#|own:orderbook\/31#|own:temporal\/21#/.test(id)) ||
    set === 'pg_ivm',
);

const describeWithCases = found ? describe : describe.skip;

describeWithCases(
  `cases of ${FOLDER}${found ? '' : ' (there are none; STILLWATER_CASES names a folder)'}`,
  () => {
    test.each(some.map((entry) => [entry.id, entry] as const))('%s is not wrong', (_, entry) => {
      expect(runCase(entry, FOLDER)).not.toMatchObject({ verdict: 'wrong' });
    });
  },
);
