import { heldBack } from '../../src/runtime/held-back.js';
import type { Progress } from '../../src/runtime/progress.js';

const progress = (errors: number, entriesDone: number): Progress =>
  ({ entriesDone, statuses: [{ record: { errors } }, { record: null }] }) as unknown as Progress;
const held = (built: Progress, served: Progress | null, errorsMax = 100): string | null =>
  heldBack({ view: 'a/b', number: 2 }, built, served, errorsMax);

describe('a generation that has caught up', () => {
  it('is held if it fails on more than errorsMax of a thousand, and on more than what serves', () => {
    const reason = held(progress(11, 100), progress(3, 100));
    expect(reason).toContain('generation 2 has 11 errors in 100 entries, what serves has 3');
    expect(reason).toContain('/views/a%2Fb/errors?generation=2');
  });

  it('says one error of one entry as people do', () => {
    expect(held(progress(1, 1), null)).toContain('has 1 error in 1 entry, and');
  });

  it('is not held for what errorsMax allows', () => {
    expect(held(progress(10, 100), progress(0, 100))).toBeNull();
    expect(held(progress(1_000, 1_000), progress(0, 1_000), 1_000)).toBeNull();
    expect(held(progress(0, 0), null, 0)).toBeNull();
  });

  it('is not held for data that what serves cannot use either', () => {
    expect(held(progress(90, 100), progress(90, 100))).toBeNull();
    expect(held(progress(91, 100), progress(90, 100))).not.toBeNull();
  });

  it('is held where nothing serves yet, as if that had no errors', () => {
    expect(held(progress(50, 100), null)).toContain('nothing of it is served yet');
  });
});
