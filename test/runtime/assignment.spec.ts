import { assign, type AssignableTask, Assignment } from '../../src/runtime/assignment.js';
import type { Generation } from '../../src/runtime/ports/registry.js';
import type { WorkerInfo } from '../../src/runtime/ports/workers.js';
import { taskName } from '../../src/runtime/task-id.js';

const worker = (id: string, fingerprints = ['f']): WorkerInfo => ({
  id,
  fingerprints,
  role: 'worker',
  startedAt: 0,
});
const task = (
  view: string,
  partition: number,
  fingerprint = 'f',
  source = `flights/${partition}`,
): AssignableTask => ({
  id: { view, generation: 1, stage: 0, partition },
  fingerprint,
  source,
});

describe('assigning tasks to workers', () => {
  const tasks = Array.from({ length: 16 }, (_, partition) =>
    ['a', 'b'].map((view) => task(view, partition)),
  ).flat();

  test('every task has an owner, and source partitions are spread evenly', () => {
    const owners = assign(
      tasks,
      ['1', '2', '3', '4'].map((id) => worker(id)),
    );
    const load = new Map<string, number>();
    for (const owner of owners.values()) load.set(owner, (load.get(owner) ?? 0) + 1);
    expect(owners.size).toBe(32);
    expect([...load.values()].every((count) => count === 8)).toBe(true);
  });

  test('tasks over one source partition go to one worker', () => {
    const owners = assign(
      tasks,
      ['1', '2', '3'].map((id) => worker(id)),
    );
    for (let partition = 0; partition < 16; partition++)
      expect(owners.get(taskName(task('a', partition).id))).toBe(
        owners.get(taskName(task('b', partition).id)),
      );
  });

  test('the answer does not depend on the order of workers or tasks', () => {
    const workers = ['1', '2', '3'].map((id) => worker(id));
    const once = assign(tasks, workers);
    const again = assign([...tasks].reverse(), [...workers].reverse());
    for (const [name, owner] of once) expect(again.get(name)).toBe(owner);
  });

  test('a worker that leaves moves little beside its own tasks', () => {
    const before = assign(
      tasks,
      ['1', '2', '3', '4'].map((id) => worker(id)),
    );
    const after = assign(
      tasks,
      ['1', '2', '3'].map((id) => worker(id)),
    );
    const moved = [...before].filter(([name, owner]) => owner !== '4' && after.get(name) !== owner).length;
    expect(moved).toBeLessThanOrEqual(8);
  });

  test('a task goes only to a worker that has its code, and to nobody if none has', () => {
    const owners = assign(
      [task('a', 0, 'new'), task('b', 0, 'gone')],
      [worker('old', ['f']), worker('young', ['f', 'new'])],
    );
    expect(owners.get('a#1/0.0')).toBe('young');
    expect(owners.has('b#1/0.0')).toBe(false);
  });

  test('what costs more counts for more: many views over one partition weigh as much as several with one', () => {
    const dear = Array.from({ length: 11 }, (_, view) => task(`v${view}`, 0));
    const cheap = Array.from({ length: 6 }, (_, partition) =>
      task('a', partition, 'f', `orders/${partition}`),
    );
    const workers = ['1', '2'].map((id) => worker(id));
    const owners = assign([...dear, ...cheap], workers);
    const ofDear = owners.get(taskName(dear[0]!.id));
    expect(dear.every(({ id }) => owners.get(taskName(id)) === ofDear)).toBe(true);
    expect(cheap.every(({ id }) => owners.get(taskName(id)) !== ofDear)).toBe(true);
  });

  test('no worker has more than its share and one partition beyond it, whatever partitions cost', () => {
    for (let seed = 1; seed <= 50; seed++) {
      const many = Array.from({ length: 20 }, (_, partition) =>
        Array.from({ length: 1 + ((partition * seed) % 7) }, (__, view) => task(`v${view}`, partition)),
      ).flat();
      const workers = Array.from({ length: 1 + (seed % 5) }, (_, index) => worker(`${seed}-${index}`));
      const load = new Map<string, number>();
      for (const owner of assign(many, workers).values()) load.set(owner, (load.get(owner) ?? 0) + 1);
      const share = (many.length + 20) / workers.length;
      for (const count of load.values()) expect(count).toBeLessThanOrEqual(share + 8);
    }
  });

  test('it is worked out again where there are other generations, workers or code, and only there', () => {
    const generation = { view: 'a', number: 1, fingerprint: 'f', state: 'serving', partitions: 2 };
    const generations = [{ ...generation, upstreams: {}, sources: ['flights'] }] as unknown as Generation[];
    const assignment = new Assignment();
    const ownersWith = (of: Generation[], ...workers: WorkerInfo[]) => {
      assignment.update(of, workers);
      return assignment.owners;
    };
    const alone = ownersWith(generations, worker('1'));
    expect(alone).toEqual(new Map(['a#1/0.0', 'a#1/0.1'].map((task) => [task, '1'])));
    expect(ownersWith(generations, worker('1'))).toBe(alone);
    expect(new Set(ownersWith(generations, worker('1'), worker('2')).values())).toEqual(new Set(['1', '2']));
    expect(ownersWith(generations, worker('1', ['other'])).size).toBe(0);
    expect(ownersWith([], worker('1')).size).toBe(0);
    expect(assignment.tasks).toEqual([]);
  });
});
