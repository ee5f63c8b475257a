import type { WorkerInfo } from '../../src/runtime/ports/workers.js';
import { onEverySubject } from './subject.js';

const worker = (id: string): WorkerInfo => ({ id, fingerprints: ['a', 'b c'], role: 'all', startedAt: 1 });
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The contract of `Workers`. */
export function workersContract(): void {
  onEverySubject('Workers', ({ ports, subject }) => {
    it('shows who is alive, whoever asks', async () => {
      const other = subject().process();
      expect((await ports().workers.renew(worker('b'), 5_000)).live).toEqual([worker('b')]);
      expect((await other.workers.renew(worker('a'), 5_000)).live).toEqual([worker('a'), worker('b')]);
      const { live, now } = await ports().workers.live();
      expect(live).toEqual([worker('a'), worker('b')]);
      expect(Math.abs(now - Date.now())).toBeLessThan(5_000);
    });

    it('shows what a worker said last', async () => {
      await ports().workers.renew(worker('a'), 5_000);
      await ports().workers.renew({ ...worker('a'), fingerprints: ['new'] }, 5_000);
      expect((await ports().workers.live()).live).toEqual([{ ...worker('a'), fingerprints: ['new'] }]);
    });

    it('forgets who did not renew in time', async () => {
      await ports().workers.renew(worker('a'), 30);
      await ports().workers.renew(worker('b'), 5_000);
      await pause(60);
      expect((await ports().workers.live()).live).toEqual([worker('b')]);
    });

    it('forgets who leaves', async () => {
      await ports().workers.renew(worker('a'), 5_000);
      await ports().workers.leave('a');
      await ports().workers.leave('never was');
      expect((await ports().workers.live()).live).toEqual([]);
    });

    it('tells the others of an announcement, and not who made it', async () => {
      const other = subject().process();
      let own = 0;
      let others = 0;
      ports().workers.onAnnouncement(() => own++);
      const stop = other.workers.onAnnouncement(() => others++);
      for (let tries = 0; others === 0 && tries < 100; tries++) {
        await ports().workers.announce();
        await pause(10);
      }
      expect(others).toBeGreaterThan(0);
      expect(own).toBe(0);
      stop();
      const before = others;
      await ports().workers.announce();
      await pause(30);
      expect(others).toBe(before);
    });
  });
}
