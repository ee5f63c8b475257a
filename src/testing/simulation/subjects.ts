import type { ViewDeclaration } from '../../view/declarations.js';
import { sourcesOf } from '../../view/plan-nodes.js';
import { stagesOf } from '../../view/stages.js';
import type { Random } from '../random.js';
import { chained } from './chained-subject.js';
import { movedInTime, movedTwiceInTime } from './moved-in-time-subject.js';
import { movedOverViews, movedOverViewsInTime } from './over-views-subject.js';
import { randomized } from './random-subject.js';
import { joined, moved, stacked, sums } from './sale-subjects.js';
import type { Shape, Subject } from './subject.js';
import { near } from './near-subject.js';
import { timed } from './timed-subject.js';
import { transferred } from './transfers-subject.js';
import { windows } from './windows-subject.js';

/** How many of the subjects are of a random plan. */
const RANDOM_PLANS = 1 / 8;
/** And of those whose logs are trimmed how many have no archive. */
const WITHOUT_AN_ARCHIVE = 0.3;

export function subjects(random: Random): Subject {
  if (random.chance(RANDOM_PLANS)) return randomized(random);
  const partitions = random.of([1, 1, 3]);
  const shape = {
    ...shapeOf(random, partitions),
    retain: random.chance(0.2) ? retention(random) : undefined,
  };
  const subject = random.of([
    ...[sums, joined, stacked, timed, near, moved, movedInTime, chained, transferred],
    ...[movedOverViews, movedOverViewsInTime, random.of([windows, windowsMoved])],
  ])(shape);
  return shape.retain && random.chance(WITHOUT_AN_ARCHIVE) ? forGood(subject) : subject;
}

/** One of a random plan. */
export const randomSubject = (random: Random): Subject => randomized(random);

/** One whose logs lose what is archived. */
export const archivedSubject = (random: Random): Subject =>
  random.of([sums, joined, timed, moved])({
    ...shapeOf(random, random.of([1, 3])),
    retain: retention(random),
  });

/** One whose logs are trimmed, and what they lose is gone. */
export const trimmedSubject = (random: Random): Subject => forGood(archivedSubject(random));

const forGood = (subject: Subject): Subject => ({ ...subject, losesForGood: true });

const shapeOf = (random: Random, partitions: number): Shape => ({ partitions, buckets: random.of([1, 4]) });
const retention = (random: Random): Shape['retain'] => ({ entries: random.of([1, 10, 40]) });

/** One whose rows stay where they are, and that acts on no time. */
export const plainSubject = (random: Random): Subject =>
  random.of([sums, joined])(shapeOf(random, random.of([1, 1, 3])));

/** One that acts on time. */
export const subjectInTime = (random: Random): Subject =>
  random.of<(shape: Shape) => Subject>([timed, near, movedInTime])(shapeOf(random, random.of([1, 1, 3])));

/** One of events near each other. */
export const nearSubject = (random: Random): Subject => near(shapeOf(random, random.of([1, 1, 3])));

/** One of windows that overlap, of sessions, and of events near each other. */
export const windowsSubject = (random: Random): Subject =>
  random.of([windows, windowsMoved, near])(shapeOf(random, random.of([1, 1, 3])));

/** One of windows that overlap, of rows that move before they are put into them. */
export const windowsMovedSubject = (random: Random): Subject => windowsMoved(shapeOf(random, 3));

const windowsMoved = (shape: Shape): Subject => windows({ ...shape, partitions: 3 }, 'delay');

/** One in which views read views. */
export const stackedSubject = (random: Random): Subject =>
  random.of([stacked, timed])(shapeOf(random, random.of([1, 3])));

/** One in which they move more than once. */
export const chainedSubject = (random: Random): Subject => chained(shapeOf(random, random.of([1, 3])));

/** Any in which they do, and in no other way. */
export const roundsSubject = (random: Random): Subject =>
  random.of([
    (random: Random) => randomized(random, 2),
    chainedSubject,
    (random: Random) => movedTwiceInTime(shapeOf(random, 3)),
    (random: Random) => only(transferred(shapeOf(random, random.of([1, 3]))), (view) => stagesOf(view) > 2),
    (random: Random) =>
      only(movedOverViews(shapeOf(random, 3)), (view) => stagesOf(view) > 2 || view.name === 'by-shop'),
  ])(random);

/** Any in which they move of a view. */
export const overViewsSubject = (random: Random): Subject =>
  random.of([movedOverViews, movedOverViewsInTime, moved])(shapeOf(random, random.of([1, 3])));

/** One in which they move once, and nobody reads what becomes of them. */
export const movedOnly = (random: Random): Subject =>
  withoutReaders(random.of([moved, movedInTime, timedAndMoved])(shapeOf(random, random.of([1, 3]))));

/** The same with windows that are final some time. */
export const movedInTimeOnly = (random: Random): Subject => withoutReaders(timedAndMoved(shapeOf(random, 3)));

const withoutReaders = (subject: Subject): Subject =>
  only(subject, ({ plan }) => sourcesOf(plan).every(({ kind }) => kind === 'stream'));

function only({ views, ...subject }: Subject, which: (view: ViewDeclaration) => boolean): Subject {
  const kept = views.filter(which);
  const names = kept.map(({ name }) => name);
  return {
    ...subject,
    views: kept,
    expected: (...log) => new Map([...subject.expected(...log)].filter(([name]) => names.includes(name))),
  };
}

const timedAndMoved = (shape: Shape): Subject => timed({ ...shape, partitions: 3 }, 'delay');

/** A subject in which rows move between partitions. */
export const movedSubject = (random: Random): Subject =>
  random.of([moved, movedInTime, timedAndMoved, chained])(shapeOf(random, random.of([1, 3])));

/** One whose views may show for a moment what one partition of another has, and not yet what the others have. */
export const tornSubject = (random: Random): Subject =>
  transferred(shapeOf(random, random.of([1, 3])), { mayTear: true });
