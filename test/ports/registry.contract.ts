import type { Generation } from '../../src/runtime/ports/registry.js';
import { onEverySubject } from './subject.js';

const generation = (view: string, number: number, changed: Partial<Generation> = {}): Generation => ({
  view,
  number,
  fingerprint: 'f'.repeat(8),
  release: 1,
  state: 'building',
  since: 1,
  paused: false,
  partitions: 1,
  buckets: 64,
  states: [{ name: 'rows', kind: 'keyed' }],
  upstreams: {},
  sources: ['orders'],
  stopAt: null,
  rebuild: null,
  promote: 'auto',
  acceptTrimmed: false,
  createdAt: 1,
  description: { columns: [] },
  format: 1,
  ...changed,
});

/** The contract of `Registry`. */
export function registryContract(): void {
  onEverySubject('Registry', ({ ports, subject }) => {
    it('is empty at first', async () => {
      expect(await ports().registry.read()).toEqual({
        revision: 0,
        release: 0,
        archived: false,
        generations: [],
        numbers: {},
      });
    });

    it('numbers releases in the order they are first seen', async () => {
      expect(await ports().registry.register('a')).toBe(1);
      expect(await ports().registry.register('b')).toBe(2);
      expect(await ports().registry.register('a')).toBe(1);
      for (const number of [3, 4, 5]) expect(await ports().registry.register(`~${number}`)).toBe(number);
      expect(await ports().registry.register('~5')).toBe(5);
      expect(await ports().registry.register('b')).toBe(2);
      expect(await ports().registry.read()).toMatchObject({ release: 5 });
    });

    it('gives one number to a release that two processes bring at once', async () => {
      const other = subject().process();
      const numbers = await Promise.all([ports().registry.register('a'), other.registry.register('a')]);
      expect(numbers).toEqual([1, 1]);
    });

    it('keeps what is put, by view and number, until it is removed', async () => {
      const revision = await ports().registry.change(
        0,
        [generation('b', 1), generation('a', 2), generation('a', 1)],
        [],
      );
      expect((await ports().registry.read()).revision).toBe(revision);
      expect((await ports().registry.read()).generations).toEqual([
        generation('a', 1),
        generation('a', 2),
        generation('b', 1),
      ]);
      expect(
        await ports().registry.change(
          revision!,
          [generation('a', 2, { state: 'serving' })],
          [
            { view: 'a', number: 1 },
            { view: 'none', number: 7 },
          ],
        ),
      ).toBeGreaterThan(revision!);
      expect((await ports().registry.read()).generations).toEqual([
        generation('a', 2, { state: 'serving' }),
        generation('b', 1),
      ]);
    });

    it('remembers the highest number of each view, also when its generations are gone', async () => {
      const { registry } = ports();
      const first = await registry.change(
        0,
        [9, 11, 10].map((number) => generation('a#1', number)),
        [],
      );
      expect((await registry.read()).numbers).toEqual({ 'a#1': 11 });
      const gone = [9, 10, 11].map((number) => ({ view: 'a#1', number }));
      await registry.change(first!, [generation('b', 1)], gone);
      expect(await registry.read()).toMatchObject({
        generations: [{ view: 'b' }],
        numbers: { 'a#1': 11, b: 1 },
      });
    });

    it('rises by no fewer than the milliseconds that pass: no revision is given again after the registry went back', async () => {
      const first = (await ports().registry.change(0, [generation('a', 1)], []))!;
      const started = Date.now();
      while (Date.now() - started < 20) await new Promise((passed) => setTimeout(passed, 5));
      expect(await ports().registry.change(first, [], [])).toBeGreaterThanOrEqual(first + 10);
    });

    it('remembers whether what is trimmed is archived, until it is said otherwise', async () => {
      const { registry } = ports();
      const first = (await registry.change(0, [], [], true))!;
      expect((await registry.read()).archived).toBe(true);
      const second = (await registry.change(first, [generation('a', 1)], []))!;
      expect((await registry.read()).archived).toBe(true);
      await registry.change(second, [], [], false);
      expect((await registry.read()).archived).toBe(false);
    });

    it('refuses a change made from another revision', async () => {
      await ports().registry.change(0, [generation('a', 1)], []);
      expect(await ports().registry.change(0, [generation('a', 2)], [])).toBeNull();
      expect((await ports().registry.read()).generations).toEqual([generation('a', 1)]);
    });

    it('lets one of two win that change it at once', async () => {
      const other = subject().process();
      const both = await Promise.all([
        ports().registry.change(0, [generation('a', 1)], []),
        other.registry.change(0, [generation('a', 2)], []),
      ]);
      expect(both.filter((revision) => revision !== null)).toHaveLength(1);
      expect((await ports().registry.read()).generations).toHaveLength(1);
    });
  });
}
