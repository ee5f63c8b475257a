import { answered, valueOf } from '../../src/redis/replies.js';
import { isTransient } from '../../src/runtime/task-end.js';

describe('the replies of a transaction', () => {
  it('are its values, and the errors of its commands', () => {
    expect(
      valueOf(
        [
          [null, 1],
          [null, null],
        ],
        1,
      ),
    ).toBeNull();
    expect(() => valueOf([[new Error('no'), null]], 0)).toThrow('no');
  });

  it.each([
    ['none', null],
    ['fewer than there were commands', [[null, 1]] as [null, number][]],
  ])(
    'are no answer, which is asked for again, where there are %s: it lost its connection on the way',
    async (_, replies) => {
      const thrown: unknown = await answered('Reading', async () => valueOf(replies, 1)).catch(
        (each: unknown) => each,
      );
      expect(thrown).toMatchObject({ code: 'redis-unavailable' });
      expect(isTransient(thrown)).toBe(true);
    },
  );
});
