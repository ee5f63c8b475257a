import type { Job } from 'bullmq';
import { rebuildStatus } from '../../src/jobs/job-status.js';
import type { RebuildJobData, RebuildNote } from '../../src/jobs/rebuild-queue.js';
import type { Generation } from '../../src/runtime/ports/registry.js';

const note: RebuildNote = {
  generations: [{ view: 'totals', generation: 2 }],
  state: 'replaying',
  reason: null,
  entriesDone: 50,
  entriesTotal: 200,
  errors: 0,
  entriesPerSecond: 10,
  remainingMs: 15_000,
};
const job = {
  id: 'rebuild-totals-x',
  data: { view: 'totals', cancelled: null, paused: false },
  timestamp: 1,
  progress: note,
} as unknown as Job<RebuildJobData>;
const generation = (state: Generation['state']) => [
  { view: 'totals', number: 2, state, paused: false } as Generation,
];

describe('how a rebuild stands, between two looks of its driver', () => {
  it('is what the driver noted, while the registry says nothing else', () => {
    expect(rebuildStatus(job, generation('building'))).toMatchObject({
      state: 'replaying',
      entriesDone: 50,
      entriesTotal: 200,
      remainingMs: 15_000,
    });
  });

  it('is held as long as its driver says so, with the reason', () => {
    const held = { ...job, progress: { ...note, state: 'held', reason: 'errors', errors: 7 } } as typeof job;
    expect(rebuildStatus(held, generation('building'))).toMatchObject({
      state: 'held',
      reason: 'errors',
      errors: 7,
    });
    expect(rebuildStatus(held, generation('serving'))).toMatchObject({ state: 'promoted' });
  });

  it('is done with every entry once it is promoted, whatever was noted last', () => {
    expect(rebuildStatus(job, generation('serving'))).toMatchObject({
      ...{ state: 'promoted', entriesDone: 200, entriesTotal: 200 },
      ...{ entriesPerSecond: null, remainingMs: null },
    });
  });

  it('has done no more than was noted where its generations are being dropped', () => {
    expect(rebuildStatus(job, generation('dropping'))).toMatchObject({ state: 'cancelled', entriesDone: 50 });
  });
});
